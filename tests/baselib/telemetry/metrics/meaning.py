"""What a statsd daemon understands of some lines, and what it accepts at all."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

# https://docs.datadoghq.com/extend/dogstatsd/datagram_shell ("The DogStatsD protocol") and
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-custom-metrics-statsd.html:
# NAME:VALUE|TYPE|@RATE|#TAG:VALUE,...; the name holds none of : | # @, the value is an integer or a float, except for a
# set's, the type one of c g ms h s, the rate from 0 to 1.
_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:e[+-]\d+)?"
_RATE = r"(?:\|@(?P<rate>0\.\d+|1))?"
_TAG = r"[^:|#@,\s]+:[^:|#@,\s]*"
DOGSTATSD = re.compile(
    rf"(?P<name>[^:|#@,\s]+):(?:(?P<number>{_NUMBER})\|(?P<kind>c|g|ms|h)|(?P<member>[^:|#@,\s]*)\|s){_RATE}"
    rf"(?P<tags>\|#{_TAG}(?:,{_TAG})*)?"
)

# https://github.com/statsd/statsd/blob/master/docs/metric_types.md, names as its `sanitizeKeyName` leaves them alone.
STATSD = re.compile(
    rf"(?P<name>[A-Za-z0-9_.-]+):(?:(?P<number>{_NUMBER})\|(?P<kind>c|g|ms)|(?P<member>[^:|#@,\s]*)\|s){_RATE}(?P<tags>)"
)


@dataclass
class Meaning:
    """What a daemon has after some lines."""

    counters: dict[str, float] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)
    timings: dict[str, list[float]] = field(default_factory=dict)
    histograms: dict[str, list[float]] = field(default_factory=dict)
    sets: dict[str, set[str]] = field(default_factory=dict)


def meaning(lines: Iterable[str], grammar: re.Pattern[str] = DOGSTATSD) -> Meaning:
    """What the lines mean together; every one has to fit the grammar."""
    found = Meaning()
    for line in lines:
        parts = grammar.fullmatch(line)
        assert parts, line
        name = parts["name"] + (parts["tags"] or "")
        if parts["kind"] is None:
            found.sets.setdefault(name, set()).add(parts["member"])
            continue
        number = float(parts["number"])
        if parts["kind"] == "c":
            found.counters[name] = found.counters.get(name, 0) + number / float(parts["rate"] or 1)
        elif parts["kind"] == "g":
            signed = parts["number"][0] in "+-"
            found.gauges[name] = found.gauges.get(name, 0) + number if signed else number
        else:
            (found.timings if parts["kind"] == "ms" else found.histograms).setdefault(name, []).append(number)
    return found

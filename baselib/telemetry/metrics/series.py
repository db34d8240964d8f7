"""The two ends of a line for each name and tags, and the guard that keeps their number bounded.

Lines follow https://github.com/statsd/statsd/blob/master/docs/metric_types.md. In the `dogstatsd` dialect tags are
added as in https://docs.datadoghq.com/extend/dogstatsd/datagram_shell, which is also what the CloudWatch agent reads:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-custom-metrics-statsd.html. The original
daemon reads no tags: in the `statsd` dialect they are appended to the name as `.key.value`, ordered by key, as in
Micrometer's Etsy flavour (https://docs.micrometer.io/micrometer/reference/implementations/statsD.html).
"""

import logging
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from baselib.contract.settings import Dialect
from baselib.telemetry.metrics.events import Key, Tagged

MAXIMUM_NAMES: Final = 2_000
MAXIMUM_SERIES_OF_A_NAME: Final = 1_000
# All names together, and as many again for `other`: at about 700 bytes each, 14 MB at most.
MAXIMUM_SERIES: Final = 10_000
# Datadog's longest name and tag: https://docs.datadoghq.com/metrics/custom_metrics/#naming-custom-metrics
MAXIMUM_CHARACTERS: Final = 200
# Further series of a full name, for the different keys whose values became `other`.
_OTHERS: Final = 10

# These separate the parts of a line; in a name, a tag or a set they would forge another metric.
_SEPARATORS: Final = re.compile(r"[:|#@,;=\s\x00-\x1f\x7f]")
# The original daemon drops these, which would make two names one; Graphite makes folders of the dots in a tag.
_UNFIT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]")
_UNFIT_IN_A_PART: Final = re.compile(r"[^A-Za-z0-9_-]")

_logger = logging.getLogger(__name__)


class Series(NamedTuple):
    """What stands before and after the value of each line of a name with certain tags."""

    head: str
    tail: str


class SeriesTable:
    """Finds the series of a name and its tags.

    Args:
        prefix: What every name begins with, without the closing dot.
        tags: Tags of every metric.
        dialect: How tags are written.
    """

    def __init__(self, prefix: str, tags: Mapping[str, str], dialect: Dialect) -> None:
        self._prefix = prefix
        self._tags = dict(tags)
        self._made = _dogstatsd if dialect == "dogstatsd" else _statsd
        self._known: dict[Key, Series] = {}
        self._tagged: dict[Tagged, Series] = {}
        self._series_of: Counter[str] = Counter()
        self._warned: set[str] = set()

    def find(self, key: Key) -> Series | None:
        """The series of a key, None when there are too many names already."""
        try:
            found = self._tagged.get(key) if type(key) is Tagged else self._known.get(key)
        except TypeError:
            # A tag's value that cannot be hashed, such as a list.
            found = None
        return found or self._admitted(key)

    def _admitted(self, key: Key) -> Series | None:
        # Only texts of a sane length become keys of the table, whatever the caller has sent: 1 and True are equal.
        if isinstance(key, Tagged):
            found = self.find((key.name, key.tags))
            if found is not None and len(self._tagged) < MAXIMUM_SERIES:
                self._tagged[key] = found
            return found
        stat, tags = key if isinstance(key, tuple) else (key, ())
        name, pairs = _text(stat), tuple((_text(tag), _text(value)) for tag, value in tags)
        clear: Key = (name, pairs) if pairs else name
        if clear in self._known:
            return self._known[clear]
        if name not in self._series_of and len(self._series_of) >= MAXIMUM_NAMES:
            self._warn(
                "", f"more than {MAXIMUM_NAMES} names of metrics: further ones are lost, {clean(name)} among them"
            )
            return None
        if self._series_of[name] >= MAXIMUM_SERIES_OF_A_NAME or len(self._known) >= MAXIMUM_SERIES:
            self._warn(
                name, f"too many combinations of tags of the metric {clean(name)}: further values become 'other'"
            )
            pairs = tuple((tag, "other") for tag, _ in pairs)
            clear = (name, pairs) if pairs else name
            if clear in self._known:
                return self._known[clear]
            if self._series_of[name] >= MAXIMUM_SERIES_OF_A_NAME + _OTHERS or len(self._known) >= 2 * MAXIMUM_SERIES:
                return None
        self._series_of[name] += 1
        full = f"{self._prefix}.{name}" if self._prefix else name
        self._known[clear] = series = self._made(full, {**self._tags, **dict(pairs)})
        return series

    def _warn(self, name: str, message: str) -> None:
        if name not in self._warned:
            self._warned.add(name)
            _logger.warning(message)


def clean(text: str) -> str:
    """Text without what separates the parts of a line."""
    return _SEPARATORS.sub("_", text)


def _text(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text[:MAXIMUM_CHARACTERS]


def _dogstatsd(name: str, tags: Mapping[str, str]) -> Series:
    told = ",".join(f"{clean(key)}:{clean(str(value))}" for key, value in tags.items())
    return Series(f"{clean(name)}:", f"|#{told}" if told else "")


def _statsd(name: str, tags: Mapping[str, str]) -> Series:
    parts = [_UNFIT_IN_A_NAME.sub("_", name)]
    for key in sorted(tags):
        # An empty part would make two dots meet.
        parts += [_UNFIT_IN_A_PART.sub("_", part) or "_" for part in (key, str(tags[key]))]
    return Series(".".join(parts) + ":", "")

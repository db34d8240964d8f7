"""Events become lines: counters are added up, everything else is a line each."""

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from baselib.contract.settings import Dialect
from baselib.telemetry.metrics.events import Event, Key
from baselib.telemetry.metrics.series import Series, SeriesTable, clean

_logger = logging.getLogger(__name__)


class Lines:
    """Forms the lines of a client.

    Args:
        prefix: What every name begins with, without the closing dot.
        tags: Tags of every metric.
        dialect: `dogstatsd`, or `statsd` for the original daemon.
        lost: Where what cannot be formed is counted.
    """

    def __init__(self, prefix: str, tags: Mapping[str, str], dialect: Dialect, lost: Counter[str]) -> None:
        self._series = SeriesTable(prefix, tags, dialect)
        # The original daemon takes a type that it does not know for a counter.
        self._histogram: Final = "h" if dialect == "dogstatsd" else "ms"
        self._lost = lost

    def of(self, ones: list[Key], events: list[Event]) -> list[str]:
        """The lines of some events; an entry of more than one line must not be cut.

        Args:
            ones: Keys of counters that went up by one.
            events: Everything else.
        """
        totals: dict[tuple[Series, float], float] = {}
        for one, count in _counted(ones):
            self._add(totals, one, count, 1, count)
        lines: list[str] = []
        find = self._series.find
        for event in events:
            try:
                kind, key, value, rate = event
                if kind == "c":
                    self._add(totals, key, _number(value), rate, 1)
                elif (series := find(key)) is None:
                    self._lost["cardinality"] += 1
                elif kind == "ms" and rate == 1 and type(value) is float and math.isfinite(value):
                    # The usual case without the detour.
                    lines.append(f"{series.head}{value:.6f}|ms{series.tail}")
                else:
                    lines.append(self._line(series, event))
            except Exception as error:  # noqa: BLE001 - a value's own code may run here
                self._invalid(error)
        return [*self._sums(totals), *lines]

    def _add(self, totals: dict[tuple[Series, float], float], key: Key, amount: float, rate: float, calls: int) -> None:
        try:
            series = self._series.find(key)
            if series is None:
                self._lost["cardinality"] += calls
            else:
                totals[series, rate] = totals.get((series, rate), 0) + amount
        except Exception as error:  # noqa: BLE001 - a tag's own code may run here
            self._invalid(error)

    def _sums(self, totals: dict[tuple[Series, float], float]) -> Iterable[str]:
        for (series, rate), total in totals.items():
            try:
                yield f"{series.head}{_number(total)}|c{_share(rate)}{series.tail}"
            except (ValueError, OverflowError) as error:
                self._invalid(error)

    def _line(self, series: Series, event: Event) -> str:
        kind, _, value, rate = event
        head, tail = series
        end = f"{_share(rate)}{tail}"
        if kind == "s":
            return f"{head}{clean(value)}|s{end}"
        number = _number(value)
        if kind == "ms":
            return f"{head}{number:.6f}|ms{end}"
        if kind == "h":
            return f"{head}{number}|{self._histogram}{end}"
        if kind == "+g":
            return f"{head}{number:+}|g{end}"
        if number < 0:
            # A sign means a change in the protocol, so that a negative value has to start from zero.
            return f"{head}0|g{tail}\n{head}{number}|g{tail}"
        return f"{head}{number}|g{end}"

    def _invalid(self, error: Exception) -> None:
        self._lost["invalid"] += 1
        _logger.debug("a metric that cannot be sent", exc_info=error)


def _counted(ones: list[Key]) -> Iterable[tuple[Key, int]]:
    try:
        return Counter(ones).items()
    except Exception:  # noqa: BLE001 - one of them cannot be hashed
        return [(key, 1) for key in ones]


def _number(value: Any) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds() * 1000.0
    number: float = value if type(value) in (int, float) else float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    return number


def _share(rate: float) -> str:
    if not rate < 1:
        return ""
    # The original daemon would read 1e-05 as 1.
    return f"|@{rate}" if rate >= 0.001 else f"|@{rate:.12f}"

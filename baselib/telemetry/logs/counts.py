"""How many lines were logged: an integer for each level, which the metrics collect every few seconds.

>>> counts = LineCounts()
>>> counts.lines[logging.INFO] += 2
>>> counts.left_out[logging.ERROR] += 1
>>> counts.report(lambda name, count, tags: print(name, count, tags["level"]))
log.lines 2 info
log.lines.sampled 1 error
"""

import logging
import os
import threading
from collections import Counter
from typing import Final, Protocol

from baselib.telemetry.metrics.standard import LOG_LINES, LOG_LINES_SAMPLED


class Increment(Protocol):
    """What `metrics.incr` is called with."""

    def __call__(self, stat: str, count: int, *, tags: dict[str, str]) -> None:
        """Add to a counter."""


class LineCounts:
    """Counts lines under the handler's lock, and tells what came since it last told.

    Attributes:
        lines: Lines by level number.
        left_out: Lines left out because they repeat others, by level number.
    """

    def __init__(self) -> None:
        self.lines: Counter[int] = Counter()
        self.left_out: Counter[int] = Counter()
        self.forget()

    def report(self, incr: Increment) -> None:
        """Count as metrics what came since the last report.

        Args:
            incr: `metrics.incr`.
        """
        with self._reporting:
            for name, counted, reported in (
                (LOG_LINES.name, self.lines, self._lines_reported),
                (LOG_LINES_SAMPLED.name, self.left_out, self._left_out_reported),
            ):
                for level, count in list(counted.items()):
                    new = count - reported[level]
                    if new:
                        reported[level] = count
                        incr(name, new, tags={"level": _name(level)})

    def forget(self) -> None:
        """Take everything so far as told, as a forked child does: its parent tells it."""
        self._reporting = threading.Lock()
        self._lines_reported = Counter(self.lines)
        self._left_out_reported = Counter(self.left_out)


def _name(level: int) -> str:
    """The standard level at or below, so that levels of a service's own make no tags of their own."""
    return logging.getLevelName(min(max(level // 10 * 10, logging.DEBUG), logging.CRITICAL)).lower()


LINES: Final = LineCounts()
"""The lines of this process."""

os.register_at_fork(after_in_child=LINES.forget)

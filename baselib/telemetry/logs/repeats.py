"""Sampling: an error that repeats itself is written a few times, then once per window with the count left out.

>>> repeats = Repeats(most=1, seconds=60, clock=iter([0.0, 1.0, 2.0, 60.0]).__next__)
>>> record = logging.makeLogRecord({"levelno": logging.ERROR, "msg": "cannot reach %s"})
>>> [repeats.left_out(record) for _ in range(4)]
[0, None, None, 2]
"""

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from baselib.telemetry.logs.text import text_of

MOST: Final = 10
SECONDS: Final = 60.0

_MOST_ERRORS: Final = 1024
_LONGEST: Final = 500

# The record of a request, a message or a run: each is of another one.
_NEVER: Final = frozenset({"baselib.span"})
# What is left of a template such as `%s: %s` says nothing; its arguments do.
_PLACES: Final = re.compile(r"%(?:\(\w*\))?[-#0 +]*[\d.*]*[a-zA-Z]|\W|\d|_")


class Repeats:
    """Recognises the same warning or error: same logger, level, template, exception and line that raised it.

    Needs a lock around it, which a handler has.

    Args:
        most: How often the same one is written within a window.
        seconds: The window's length.
        clock: Seconds that only go forward.
    """

    def __init__(self, most: int = MOST, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        # For each: when its window ends, how often it was seen within it. The longest unseen comes first.
        self._windows: OrderedDict[Any, tuple[float, int]] = OrderedDict()

    def left_out(self, record: logging.LogRecord) -> int | None:
        """None when the record is to be left out, otherwise how many like it were since the last one written.

        Args:
            record: What was logged.
        """
        if record.levelno < logging.WARNING or record.name in _NEVER:
            return 0
        key = _key(record)
        now = self._clock()
        ends, seen = self._windows.pop(key, (now, 0))
        before = max(seen - self._most, 0)
        if now >= ends:
            ends, seen = now + self._seconds, 0
        self._windows[key] = (ends, seen + 1)
        if len(self._windows) > _MOST_ERRORS:
            self._windows.popitem(last=False)
        if seen >= self._most:
            return None
        return before if seen == 0 else 0


def _key(record: logging.LogRecord) -> tuple[object, ...]:
    template = record.msg if type(record.msg) is str else text_of(record.msg)
    arguments = text_of(record.args) if record.args and not _PLACES.sub("", template) else ""
    error = record.exc_info[1] if record.exc_info else None
    return (record.name, record.levelno, _bounded(template), _bounded(arguments), type(error), _raised_at(error))


def _bounded(text: str) -> str | int:
    """A long text's hash, so that the memory is bounded and different texts stay different."""
    return text if len(text) <= _LONGEST else hash(text)


def _raised_at(error: BaseException | None) -> tuple[str, int] | None:
    trace = error.__traceback__ if error is not None else None
    if trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename, trace.tb_lineno

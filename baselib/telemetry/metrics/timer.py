"""A context manager and decorator that sends how long something took."""

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, cast

if TYPE_CHECKING:
    from baselib.telemetry.metrics.recorder import Recorder

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Timer:
    """Times a block, a function or the span between `start` and `stop`.

    Args:
        recorder: Where the duration goes.
        stat: The metric's name.
        rate: The share of durations that are sent.
        tags: Tags of the metric.

    Attributes:
        ms: The last duration in milliseconds, None before there is one.
    """

    def __init__(self, recorder: "Recorder", stat: str, rate: float = 1, tags: Mapping[str, str] | None = None) -> None:
        self._recorder = recorder
        self._stat = stat
        self._rate = rate
        self._tags = tags
        self._started: float | None = None
        self._sent = False
        self.ms: float | None = None

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        # The decorated function may run in many threads, so the start stays on the stack.
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: _P.args, **kwargs: _P.kwargs) -> Any:
                started = time.perf_counter()
                try:
                    return await function(*args, **kwargs)
                finally:
                    self._recorder.timing(self._stat, 1000.0 * (time.perf_counter() - started), self._rate, self._tags)

            return cast("Callable[_P, _R]", awaited)

        @functools.wraps(function)
        def timed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            started = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._recorder.timing(self._stat, 1000.0 * (time.perf_counter() - started), self._rate, self._tags)

        return timed

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Begin to time."""
        self.ms = None
        self._sent = False
        self._started = time.perf_counter()
        return self

    def stop(self, send: bool = True) -> Self:
        """Stop timing.

        Raises:
            RuntimeError: It was not started, or its duration was sent before.
        """
        if self._started is None:
            raise RuntimeError("Timer has not started.")
        self.ms = 1000.0 * (time.perf_counter() - self._started)
        if send:
            self.send()
        return self

    def send(self) -> None:
        """Send the duration.

        Raises:
            RuntimeError: There is none yet, or it was sent before.
        """
        if self.ms is None:
            raise RuntimeError("No data recorded.")
        if self._sent:
            raise RuntimeError("Already sent data.")
        self._sent = True
        self._recorder.timing(self._stat, self.ms, self._rate, self._tags)

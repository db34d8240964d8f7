"""The client: the interface of `statsd.StatsClient`, plus tags and histograms.

The lines follow https://github.com/statsd/statsd/blob/master/docs/metric_types.md, the tags
https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/, which the CloudWatch agent reads too.
"""

import functools
import inspect
import random
import re
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

Tags = Mapping[str, str]

_P = ParamSpec("_P")
_R = TypeVar("_R")

# These separate the parts of a line; in a name or a tag they would forge another metric.
_UNSAFE = re.compile(r"[:|#@,\s\x00-\x1f\x7f]")


class _Recorder:
    """Everything that turns a call into a line; where the line goes is the subclass's matter."""

    _prefix: str
    _tags: Mapping[str, str]

    def _emit(self, line: str) -> None:
        raise NotImplementedError

    def pipeline(self) -> "Pipeline":
        """A client whose metrics leave together."""
        return Pipeline(self)

    def timer(self, stat: str, rate: float = 1, tags: Tags | None = None) -> "Timer":
        """A context manager and decorator that times what it surrounds.

        Args:
            stat: The metric's name.
            rate: The share of calls that are sent, from 0 to 1.
            tags: Tags of this metric.
        """
        return Timer(self, stat, rate, tags)

    def timing(self, stat: str, delta: float | timedelta, rate: float = 1, tags: Tags | None = None) -> None:
        """Send a duration.

        Args:
            stat: The metric's name.
            delta: Milliseconds, or a timedelta.
            rate: The share of calls that are sent, from 0 to 1.
            tags: Tags of this metric.
        """
        milliseconds = delta.total_seconds() * 1000.0 if isinstance(delta, timedelta) else delta
        self._send(stat, f"{milliseconds:.6f}|ms", rate, tags)

    def incr(self, stat: str, count: float = 1, rate: float = 1, tags: Tags | None = None) -> None:
        """Add `count` to a counter."""
        self._send(stat, f"{count}|c", rate, tags)

    def decr(self, stat: str, count: float = 1, rate: float = 1, tags: Tags | None = None) -> None:
        """Take `count` from a counter."""
        self.incr(stat, -count, rate, tags)

    def gauge(
        self,
        stat: str,
        value: float,
        rate: float = 1,
        delta: bool = False,
        tags: Tags | None = None,
    ) -> None:
        """Set a gauge, or change it by `value` when `delta` is true."""
        if value < 0 and not delta:
            # A sign means a change in the protocol, so that a negative value has to start from zero.
            if rate < 1 and random.random() > rate:  # noqa: S311
                return
            with self.pipeline() as pair:
                pair._send(stat, "0|g", 1, tags)
                pair._send(stat, f"{value}|g", 1, tags)
            return
        sign = "+" if delta and value >= 0 else ""
        self._send(stat, f"{sign}{value}|g", rate, tags)

    def set(self, stat: str, value: Any, rate: float = 1, tags: Tags | None = None) -> None:
        """Count a value among the distinct values of a set."""
        self._send(stat, f"{_UNSAFE.sub('_', str(value))}|s", rate, tags)

    def histogram(self, stat: str, value: float, rate: float = 1, tags: Tags | None = None) -> None:
        """Send a value whose distribution matters, such as a size."""
        self._send(stat, f"{value}|h", rate, tags)

    def _send(self, stat: str, value: str, rate: float, tags: Tags | None) -> None:
        if rate < 1:
            if random.random() > rate:  # noqa: S311
                return
            value = f"{value}|@{rate}"
        name = _UNSAFE.sub("_", f"{self._prefix}.{stat}" if self._prefix else stat)
        everything = {**self._tags, **tags} if tags else self._tags
        if everything:
            told = ",".join(f"{_UNSAFE.sub('_', key)}:{_UNSAFE.sub('_', str(tag))}" for key, tag in everything.items())
            value = f"{value}|#{told}"
        self._emit(f"{name}:{value}")


class MetricsClient(_Recorder):
    """A drop-in for `statsd.StatsClient`.

    Args:
        emit: Takes each finished line, and neither blocks nor raises.
        prefix: What every name begins with, without the closing dot.
        tags: Tags of every metric.
    """

    def __init__(
        self, emit: Callable[[str], None] | None = None, *, prefix: str = "", tags: Tags | None = None
    ) -> None:
        self.configure(emit, prefix=prefix, tags=tags)

    def configure(self, emit: Callable[[str], None] | None, *, prefix: str = "", tags: Tags | None = None) -> None:
        """Send to somewhere else from now on; None switches metrics off."""
        self._target = emit
        self._prefix = prefix
        self._tags = dict(tags or {})

    def close(self) -> None:
        """Send nothing from now on."""
        self.configure(None, prefix=self._prefix, tags=self._tags)

    def _emit(self, line: str) -> None:
        if self._target is not None:
            self._target(line)


class Pipeline(_Recorder):
    """Collects metrics until `send`, or until the end of its `with` block.

    Args:
        client: Where they then go; another pipeline, and they leave with it.
    """

    def __init__(self, client: _Recorder) -> None:
        self._client = client
        self._prefix = client._prefix
        self._tags = client._tags
        self._lines: list[str] = []

    def send(self) -> None:
        """Send what was collected."""
        lines, self._lines = self._lines, []
        if lines:
            self._client._emit("\n".join(lines))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.send()

    def _emit(self, line: str) -> None:
        self._lines.append(line)


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

    def __init__(self, recorder: _Recorder, stat: str, rate: float = 1, tags: Tags | None = None) -> None:
        self._recorder = recorder
        self._stat = stat
        self._rate = rate
        self._tags = tags
        self._started: float | None = None
        self._sent = False
        self.ms: float | None = None

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
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
            # The decorated function may run in many threads, so the start stays on the stack.
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
            RuntimeError: It was not started.
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

"""The client: the interface of `statsd.StatsClient`, whose calls only leave an event for a thread to send."""

import atexit
import contextlib
import functools
import logging
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from baselib.concurrency import renew_after_fork
from baselib.contract.settings import Dialect
from baselib.telemetry.metrics.events import MAXIMUM_WAITING, Event, Key
from baselib.telemetry.metrics.lines import Lines
from baselib.telemetry.metrics.recorder import Recorder, Tags
from baselib.telemetry.metrics.sender import Sender
from baselib.telemetry.metrics.standard import METRICS_LOST
from baselib.telemetry.metrics.transport import UdpTransport

_SAMPLE_SECONDS: Final = 10.0
_FLUSH_SECONDS: Final = 1.0
# So many events waiting wake the thread before its time.
_CROWDED: Final = MAXIMUM_WAITING // 2

_logger = logging.getLogger(__name__)

_clients: "Final[weakref.WeakSet[MetricsClient]]" = weakref.WeakSet()


class MetricsClient(Recorder):
    """A drop-in for `statsd.StatsClient`.

    >>> lines = []
    >>> client = MetricsClient(lines.append, prefix="duolingo.api")
    >>> with client.timer("lessons.time"):
    ...     client.gauge("lessons.open", 3)
    >>> lines[0]
    'duolingo.api.lessons.open:3|g'

    Args:
        target: A `UdpTransport`, or a function that takes each line at once, for tests; None sends nothing.
        prefix: What every name begins with, without the closing dot.
        tags: Tags of every metric.
        dialect: `dogstatsd`, which the CloudWatch agent reads too, or `statsd` for the original daemon.
        sample_seconds: How often the functions given to `sample` are called.
    """

    def __init__(
        self,
        target: UdpTransport | Callable[[str], None] | None = None,
        *,
        prefix: str | None = None,
        tags: Tags | None = None,
        dialect: Dialect = "dogstatsd",
        sample_seconds: float = _SAMPLE_SECONDS,
    ) -> None:
        self._sample_seconds = sample_seconds
        self._samplers: dict[Callable[[], object], bool] = {}
        self._failed: set[Callable[[], object]] = set()
        self._sender: Sender | None = None
        self.lost = Counter()
        self._begin()
        self.configure(target, prefix=prefix, tags=tags, dialect=dialect)
        _clients.add(self)
        renew_after_fork(self)

    def _begin(self) -> None:
        self._ones = []
        self._events = []
        # No room: the first event takes the slow way, which starts the thread.
        self._room = 0
        # A sampler or a finalizer may record while its thread is inside.
        self._lock = threading.RLock()
        self.lost.clear()
        self._told: Mapping[str, int] = {}
        self._telling: Mapping[str, int] = {}

    def configure(
        self,
        target: UdpTransport | Callable[[str], None] | None,
        *,
        prefix: str | None = None,
        tags: Tags | None = None,
        dialect: Dialect = "dogstatsd",
    ) -> None:
        """Send to somewhere else from now on; what waits is sent first. The arguments are those of the class."""
        self._room = 0
        if self._sender is not None:
            self._sender.close(_FLUSH_SECONDS)
        with self._lock:
            self._room = 0
            if left := len(self._ones) + len(self._events):
                self.lost["unreachable"] += left
            self._ones, self._events = [], []
            self._target = target
            self._prefix = prefix or ""
            self._tags = dict(tags or {})
            self._dialect: Dialect = dialect
            self._lines = Lines(self._prefix, self._tags, dialect, self.lost)
            self._sender = Sender(self, target, self._sample_seconds) if isinstance(target, UdpTransport) else None
        if self._samplers:
            self._start()

    @contextlib.contextmanager
    def redirected(self, target: Callable[[str], None], *, prefix: str | None = None) -> Iterator[None]:
        """Send to somewhere else within a `with` block, for tests."""
        before = self._target, self._prefix, self._tags, self._dialect
        self.configure(target, prefix=prefix)
        try:
            yield
        finally:
            self.configure(before[0], prefix=before[1], tags=before[2], dialect=before[3])

    def sample(self, callback: Callable[[], object], *, after_fork: bool = False) -> Callable[[], object]:
        """Have a function called every ten seconds, by the sending thread, to record what is only known at a moment.

        It is also called by `flush`. What it raises is logged at the level DEBUG, once.

        Args:
            callback: Records with this client; it must not wait.
            after_fork: Whether it is also called in processes forked from here, each for itself. A shared source, such
                as the memory of the whole task, stays with the process that gave it.

        Returns:
            Ends it.
        """
        self._samplers[callback] = after_fork
        self._start()
        return functools.partial(self._samplers.pop, callback, None)

    def flush(self, timeout: float = _FLUSH_SECONDS) -> None:
        """Send what is waiting, as far as that is possible within `timeout` seconds."""
        if self._sender is None:
            if self._target is not None:
                self._call_samplers()
        elif (self._ones or self._events or self._sender.started) and self._start():
            self._sender.flush(timeout)

    def close(self) -> None:
        """Send what is waiting, and nothing from then on."""
        self.configure(None, prefix=self._prefix, tags=self._tags, dialect=self._dialect)

    def _start(self) -> bool:
        with self._lock:
            if self._sender is None or not self._sender.start():
                return False
            self._room = _CROWDED
            return True

    def _put(self, ones: list[Key], events: list[Event]) -> None:
        if self._target is None:
            return
        with self._lock:
            if self._sender is None:
                self._emit(self._lines.of(ones, events))
                return
            if self._room < _CROWDED:
                self._start()
            elif self._room == _CROWDED:
                # The way is free again up to the limit: the callers need not wake the thread more than once.
                self._room = MAXIMUM_WAITING
                self._sender.hurry()
            free = max(MAXIMUM_WAITING - max(len(self._ones), len(self._events)), 0)
            self._ones.extend(ones[:free])
            self._events.extend(events[:free])
            if lost := len(ones[free:]) + len(events[free:]):
                self.lost["overflow"] += lost

    def _emit(self, entries: list[str]) -> None:
        if self._target is not None and not isinstance(self._target, UdpTransport):
            for entry in entries:
                for line in entry.split("\n"):
                    self._target(line)

    def _sample(self) -> None:
        self._call_samplers()
        self._telling = dict(self.lost)
        for cause, count in self._telling.items():
            more = count - self._told.get(cause, 0)
            if more:
                self.incr(METRICS_LOST.name, more, tags={"cause": cause})

    def _call_samplers(self) -> None:
        for callback in list(self._samplers):
            try:
                callback()
            except Exception:
                if callback not in self._failed:
                    self._failed.add(callback)
                    _logger.debug("%r, which samples metrics, failed", callback, exc_info=True)

    def _drained(self) -> list[str]:
        # Cut off in place, because others may be appending to the same lists.
        ones, events = self._ones[:], self._events[:]
        del self._ones[: len(ones)], self._events[: len(events)]
        if self._room == MAXIMUM_WAITING:
            self._room = _CROWDED
        return self._lines.of(ones, events)

    def _sent(self, lost: int) -> None:
        if lost:
            self.lost["unreachable"] += lost
        else:
            self._told = self._telling

    def after_fork(self) -> None:
        """Begin afresh in a child: what the parent has not sent yet, it sends itself."""
        self._begin()
        for callback in [callback for callback, after_fork in self._samplers.items() if not after_fork]:
            del self._samplers[callback]
        if self._sender is not None:
            self._sender.after_fork()
            if self._samplers:
                self._start()


def _at_exit() -> None:
    for client in list(_clients):
        if client._ones or client._events:
            client.flush()


atexit.register(_at_exit)

"""The guard: looks at memory twice a second and acts when it is over 100 % of the limit."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import MEMORY_GROWTH, MEMORY_SHARE, MEMORY_USED

_logger = logging.getLogger(__name__)

CHECK_SECONDS: Final = 0.5
_METRIC_SECONDS: Final = 10.0
# By then the caches of a service that has traffic are warm, and what comes on top is growth.
_SETTLED_SECONDS: Final = 60.0


class MemoryGuard:
    """Calls for relief while memory is over the limit.

    Args:
        limit_bytes: 100 %.
        used: Says how many bytes are in use.
        relieve: Called at each check that finds memory over the limit, with the bytes in use.
        check_seconds: Time between two checks of the guard's own thread.
        settled_seconds: Growth is what is used above the bytes in use this long after the first check.
    """

    def __init__(
        self,
        limit_bytes: int,
        used: Callable[[], int],
        relieve: Callable[[int], object],
        check_seconds: float = CHECK_SECONDS,
        settled_seconds: float = _SETTLED_SECONDS,
    ) -> None:
        self.limit_bytes = limit_bytes
        self._used = used
        self._relieve = relieve
        self._check_seconds = check_seconds
        self._settled_seconds = settled_seconds
        self._began: float | None = None
        self._settled_bytes: int | None = None
        self._next_metric = float("-inf")
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to check, from a thread."""
        threading.Thread(target=self._run, name="baselib-memory", daemon=True).start()

    def stop(self) -> None:
        """Check no more."""
        self._stopped.set()

    def check(self) -> None:
        """Look once, for who has a loop of his own instead of the guard's thread; raises nothing."""
        if self._stopped.is_set():
            return
        try:
            used = self._used()
            self._measure(used, time.monotonic())
            if used > self.limit_bytes:
                self._relieve(used)
        except Exception:
            # The guard outlives whatever a file system or a callback does; without it the kernel kills.
            _logger.exception("the memory guard could not check")

    def _run(self) -> None:
        while not self._stopped.wait(self._check_seconds):
            self.check()

    def _measure(self, used: int, now: float) -> None:
        if self._began is None:
            self._began = now
        if self._settled_bytes is None and now - self._began >= self._settled_seconds:
            self._settled_bytes = used
        if now < self._next_metric:
            return
        self._next_metric = now + _METRIC_SECONDS
        metrics.gauge(MEMORY_USED.name, used)
        metrics.gauge(MEMORY_SHARE.name, round(100 * used / self.limit_bytes, 1))
        if self._settled_bytes is not None:
            # Below nothing would be a change instead of a value: statsd reads a sign so.
            metrics.gauge(MEMORY_GROWTH.name, max(0, used - self._settled_bytes))

"""The guard: watches memory from a thread and acts when it reaches 100 % of the limit."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import MEMORY_SHARE, MEMORY_USED

_logger = logging.getLogger(__name__)

_CHECK_SECONDS: Final = 0.5
_METRIC_EVERY_CHECKS: Final = 20


class MemoryGuard:
    """Calls for relief while memory is over the limit.

    Args:
        limit_bytes: 100 %.
        used: Says how many bytes are in use.
        relieve: Called, from the guard's thread, at each check that finds memory over the limit, with the bytes in
            use; returns whether it did something. It waits for its own effect before it returns.
        check_seconds: Time between two checks.
    """

    def __init__(
        self,
        limit_bytes: int,
        used: Callable[[], int],
        relieve: Callable[[int], bool],
        check_seconds: float = _CHECK_SECONDS,
    ) -> None:
        self.limit_bytes = limit_bytes
        self._used = used
        self._relieve = relieve
        self._check_seconds = check_seconds
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._run, name="baselib-memory", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _run(self) -> None:
        checks = 0
        while not self._stopped.wait(self._check_seconds):
            try:
                used = self._used()
                if checks % _METRIC_EVERY_CHECKS == 0:
                    metrics.gauge(MEMORY_USED.name, used)
                    metrics.gauge(MEMORY_SHARE.name, round(100 * used / self.limit_bytes, 1))
                checks += 1
                if used > self.limit_bytes:
                    self._relieve(used)
            except Exception:
                # The guard outlives whatever a file system or a callback does; without it the kernel kills.
                _logger.exception("the memory guard could not check")

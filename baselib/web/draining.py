"""What baselib adds to gunicorn's master: readiness, drain before the listener closes, and the memory guard."""

import logging
import os
import signal
import time
from typing import Any, Final

from baselib.contract import ExitCode, Settings
from baselib.lifecycle import LIFE, Life, Phase
from baselib.memory import MemoryGuard, memory_limit, resident_bytes, used_bytes
from baselib.telemetry import flush_telemetry, metrics
from baselib.telemetry.metrics.standard import RESTARTS

_logger = logging.getLogger("baselib.web")

# A worker that is over the limit so soon will be over it again: replacing it only burns CPU.
_LEAST_WORKER_LIFE_SECONDS: Final = 10.0
_REPLACED_POLL_SECONDS: Final = 0.1
# How long a limit that is too low is borne before it is said again.
_COMPLAINT_SECONDS: Final = 60.0


class DrainingMaster:
    """The hooks of one gunicorn master.

    Args:
        settings: Gives the drain time and the memory limit.
        life: The phase, shared with the workers.
    """

    def __init__(self, settings: Settings, life: Life = LIFE) -> None:
        self._settings = settings
        self._life = life
        self._exit_code = ExitCode.FINISHED
        self._master = os.getpid()
        self._guard: MemoryGuard | None = None
        self._server: Any = None
        self._first_seen: dict[int, float] = {}
        self._complained = float("-inf")
        self._replaced = 0
        self._ready_since = 0.0
        self._fitted = False

    def when_ready(self, server: Any) -> None:
        """The listener is open: be ready, and put the drain before gunicorn's own handling of SIGTERM."""
        self._server = server
        self._master = os.getpid()
        signal.signal(signal.SIGTERM, self._drain)
        signal.signal(signal.SIGALRM, self._drained)
        limit = memory_limit(self._settings)
        if limit is not None:
            self._guard = MemoryGuard(limit, self._used, self._relieve)
            self._guard.start()
        self._ready_since = time.monotonic()
        self._life.advance(Phase.READY)
        _logger.info("ready", extra={"port": self._settings.port, "workers": server.num_workers})

    def worker_exit(self, server: Any, worker: Any) -> None:
        """A worker ends: send what it has buffered."""
        flush_telemetry()

    def on_exit(self, server: Any) -> None:
        """The workers have ended: flush, and end with the contract's exit code."""
        self._life.advance(Phase.STOPPED)
        _logger.info("stopped")
        flush_telemetry()
        if self._exit_code != ExitCode.FINISHED:
            raise SystemExit(int(self._exit_code))

    def _drain(self, *_: object) -> None:
        """SIGTERM: fail readiness at once and keep serving until the load balancer has noticed."""
        if os.getpid() != self._master:
            # A worker that has not set its own handlers yet: gunicorn will ask again.
            return
        if not self._life.advance(Phase.DRAINING):
            return
        if self._guard is not None:
            self._guard.stop()
        _logger.info("draining", extra={"seconds": self._settings.drain_seconds})
        # Zero would switch the timer off instead of letting it fire at once.
        signal.setitimer(signal.ITIMER_REAL, max(self._settings.drain_seconds, 0.001))

    def _drained(self, *_: object) -> None:
        """The drain time is over: let gunicorn close the listener and finish what is in flight."""
        if os.getpid() == self._master:
            self._server.signal(signal.SIGTERM, None)

    def _used(self) -> int:
        """Bytes in use; asked at every check, so that it also notes when a worker was first seen."""
        now = time.monotonic()
        self._first_seen = {worker: self._first_seen.get(worker, now) for worker in list(self._server.WORKERS)}
        used = used_bytes([self._master, *self._first_seen])
        if self._guard is not None and used <= self._guard.limit_bytes:
            # Seen below the limit after it had started: the limit is not too low for the service.
            self._fitted |= now - self._ready_since >= _LEAST_WORKER_LIFE_SECONDS
            self._replaced = 0
        return used

    def _relieve(self, used: int) -> bool:
        """Replace the largest worker; when no replacement can help, stop the task so that ECS starts a new one."""
        if self._life.phase != Phase.READY:
            return False
        now = time.monotonic()
        grown = [worker for worker, seen in self._first_seen.items() if now - seen >= _LEAST_WORKER_LIFE_SECONDS]
        if self._replaced >= self._server.num_workers:
            # Every worker has been replaced without once coming below the limit.
            if self._fitted:
                self._stop_task(used)
            else:
                self._complain(used, now)
            return self._fitted
        if not grown:
            if not self._fitted:
                self._complain(used, now)
            return False
        self._replaced += 1
        largest = max(grown, key=resident_bytes)
        _logger.warning(
            "memory limit reached: replacing the largest worker",
            extra={
                "worker": largest,
                "worker_bytes": resident_bytes(largest),
                "used_bytes": used,
                "limit_bytes": self._guard.limit_bytes if self._guard else None,
            },
        )
        metrics.incr(RESTARTS.name, tags={"cause": "memory"})
        os.kill(largest, signal.SIGTERM)
        deadline = now + self._settings.stop_seconds + 1
        while time.monotonic() < deadline and self._still_replacing(largest):
            time.sleep(_REPLACED_POLL_SECONDS)
        return True

    def _still_replacing(self, worker: int) -> bool:
        return worker in self._server.WORKERS or len(self._server.WORKERS) < self._server.num_workers

    def _stop_task(self, used: int) -> None:
        """New workers do not help although the service once fitted: the master has grown, so the task ends."""
        _logger.warning(
            "memory limit reached and new workers do not help: stopping the task", extra={"used_bytes": used}
        )
        metrics.incr(RESTARTS.name, tags={"cause": "memory-task"})
        self._exit_code = ExitCode.MEMORY
        os.kill(self._master, signal.SIGTERM)

    def _complain(self, used: int, now: float) -> None:
        """The service never fitted below the limit: a restart would only lead here again."""
        if now - self._complained < _COMPLAINT_SECONDS:
            return
        self._complained = now
        _logger.error(
            "memory is over the limit although every worker is fresh: the limit is too low for this service",
            extra={"used_bytes": used, "limit_bytes": self._guard.limit_bytes if self._guard else None},
        )

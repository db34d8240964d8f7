"""What baselib adds to gunicorn's master: readiness, drain before the listener closes, and the memory guard."""

import logging
import os
import signal
import time
from typing import Any, Final

from baselib.contract import ExitCode, Settings
from baselib.lifecycle import LIFE, Life, Phase
from baselib.memory import Fit, MemoryGuard, memory_limit, resident_bytes, used_bytes
from baselib.telemetry import flush_telemetry, metrics
from baselib.telemetry.metrics.standard import RESTARTS

_logger = logging.getLogger("baselib.web")

# A worker that is over the limit so soon will be over it again: replacing it only burns CPU.
_LEAST_WORKER_LIFE_SECONDS: Final = 10.0
_REPLACED_POLL_SECONDS: Final = 0.1


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
        self._replaced = 0
        limit = memory_limit(settings)
        self._fit = Fit(limit) if limit is not None else None

    def when_ready(self, server: Any) -> None:
        """The listener is open: be ready, and put the drain before gunicorn's own handling of SIGTERM."""
        self._server = server
        self._master = os.getpid()
        signal.signal(signal.SIGTERM, self._drain)
        signal.signal(signal.SIGALRM, self._drained)
        if self._fit is not None:
            self._guard = MemoryGuard(self._fit.limit_bytes, self._used, self._relieve)
            self._guard.start()
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
            # A worker that has not set its own handlers yet: gunicorn kills it when its time is over.
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
        if self._fit is not None and self._fit.note(used, now):
            self._replaced = 0
        return used

    def _relieve(self, used: int) -> bool:
        """Replace the largest worker; when no replacement can help, stop the task so that ECS starts a new one."""
        if self._life.phase != Phase.READY or self._fit is None:
            return False
        now = time.monotonic()
        grown = [worker for worker, seen in self._first_seen.items() if now - seen >= _LEAST_WORKER_LIFE_SECONDS]
        # Every worker has been replaced without once coming below the limit.
        exhausted = self._replaced >= self._server.num_workers
        if exhausted and self._fit.ever:
            self._stop_task(used)
            return True
        if exhausted or not grown:
            if not self._fit.ever:
                # A restart would only lead here again.
                self._fit.complain(used, now)
            return False
        self._replaced += 1
        largest = max(grown, key=resident_bytes)
        _logger.warning(
            "memory limit reached: replacing the largest worker",
            extra={
                "worker": largest,
                "worker_bytes": resident_bytes(largest),
                "used_bytes": used,
                "limit_bytes": self._fit.limit_bytes,
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

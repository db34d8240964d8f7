"""Workers replaced at 100 % of the memory limit, one at a time, by gunicorn's master.

All of it happens in the arbiter's own loop, between its reaping of ended workers and its starting of new ones: only
there may the number of workers change without a race.
"""

import logging
import os
import time
from collections.abc import Callable
from typing import Any, Final

from baselib.contract import Settings
from baselib.lifecycle import Life, Phase
from baselib.memory import AllocationTrace, Fit, MemoryGuard, hard_limit, memory_limit, private_bytes, used_bytes
from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import RESTARTS
from baselib.web.worker_replacements import WorkerReplacements, accepts

_logger = logging.getLogger("baselib.web")

_TURN_SECONDS: Final = 0.5
# While a worker starts or ends, and close to the limit: a fast leak is through the room above it within seconds.
_SHORT_TURN_SECONDS: Final = 0.1
_NEAR_SHARE: Final = 0.9
# A limit that is not at least so much above what fresh workers need is too low for this service.
_FRESH_SHARE: Final = 0.95


class MemoryRestarts:
    """Watches the memory of a gunicorn master and its workers.

    Args:
        settings: Gives the limit, the time in which a worker stops, and whether allocations are traced.
        life: The phase, shared with the workers.
        stop_task: Called when new workers do not help.
    """

    def __init__(self, settings: Settings, life: Life, stop_task: Callable[[], None]) -> None:
        self._settings = settings
        self._life = life
        self._stop_task = stop_task
        self._trace = AllocationTrace(settings.memory_trace_frames)
        self._server: Any = None
        self._hard_limit: int | None = None
        self._replacements = WorkerReplacements(life, settings.stop_seconds)
        self._fresh: dict[int, int] = {}
        self._near = False
        self._replaced = 0

    def start(self, server: Any) -> None:
        """Take a turn in every round of the arbiter's loop, and have one at least twice a second.

        Args:
            server: The arbiter.
        """
        limit = memory_limit(self._settings)
        if limit is None:
            return
        self._server = server
        self._hard_limit = hard_limit()
        if self._hard_limit is not None and limit >= self._hard_limit:
            _logger.warning(
                "the memory limit is not below the hard limit: the kernel may kill before a worker is replaced",
                extra={"limit_bytes": limit, "hard_limit_bytes": self._hard_limit},
            )
        self._fit = Fit(limit)
        self._guard = MemoryGuard(limit, self._used, self._relieve)
        wait, murder = server.wait_for_signals, server.murder_workers

        def wait_for_signals(timeout: float = 1.0) -> Any:
            busy = self._near or self._replacements.leaving or len(self._fresh) < len(server.WORKERS)
            return wait(timeout=min(timeout, _SHORT_TURN_SECONDS if busy else _TURN_SECONDS))

        def murder_workers() -> None:
            murder()
            self._turn()

        server.wait_for_signals, server.murder_workers = wait_for_signals, murder_workers

    def post_fork(self) -> None:
        """In a new worker: trace what it allocates, where the settings ask for it."""
        self._trace.start()

    def worker_exit(self) -> None:
        """In a worker that ends: where it was replaced for its memory, tell what it held."""
        if self._replacements.chosen:
            self._trace.tell()

    def _turn(self) -> None:
        try:
            self._replacements.step(self._server)
        except Exception:
            # Whatever goes wrong here would end the arbiter.
            _logger.exception("the replacement of a worker failed")
        if not self._life.draining:
            self._guard.check()

    def _used(self) -> int:
        """Bytes in use; asked in every turn, so that each worker's size is also noted when it has just started."""
        workers = dict(self._server.WORKERS)
        self._fresh = {
            worker: self._fresh.get(worker) or private_bytes(worker)
            for worker in workers
            if worker in self._fresh or accepts(workers[worker])
        }
        used = used_bytes([os.getpid(), *workers])
        self._near = used > _NEAR_SHARE * self._fit.limit_bytes
        if self._fit.note(used, time.monotonic()):
            self._replaced = 0
        return used

    @property
    def _fresh_bytes(self) -> int:
        """What a worker takes for itself when it has just started; all are forked from the same master."""
        return min(self._fresh.values())

    def _relieve(self, used: int) -> None:
        """Replace the largest worker; when no replacement can help, stop the task so that ECS starts a new one."""
        now = time.monotonic()
        if self._life.phase != Phase.READY or not self._replacements.possible:
            return
        leaving = self._replacements.leaving
        sizes = {worker: private_bytes(worker) for worker in self._fresh if worker not in leaving}
        if not sizes:
            return
        exhausted = self._replaced >= self._server.num_workers
        if exhausted and self._fit.ever:
            _logger.warning(
                "memory limit reached and new workers do not help: stopping the task", extra={"used_bytes": used}
            )
            metrics.incr(RESTARTS.name, tags={"cause": "memory-task"})
            self._stop_task()
            return
        grown = sum(max(0, size - self._fresh_bytes) for size in sizes.values())
        if not self._fit.ever and not self._worthwhile(used, used - grown, exhausted=exhausted):
            self._fit.complain(used, now)
            self._near = False
            return
        self._replaced += 1
        self._replace(max(sizes, key=sizes.__getitem__), used)

    def _worthwhile(self, used: int, fresh: int, *, exhausted: bool) -> bool:
        """Whether a replacement helps a service that has never fitted; mostly it would only be the first of many.

        Args:
            used: Bytes in use.
            fresh: What would be used if every worker were new.
            exhausted: Whether all have been replaced in vain.
        """
        if fresh <= _FRESH_SHARE * self._fit.limit_bytes and not exhausted:
            return True
        # The limit cannot be kept, but the kernel's can: half way to it is early enough and no loop.
        return self._hard_limit is not None and fresh < self._hard_limit and 2 * used > fresh + self._hard_limit

    def _replace(self, worker: int, used: int) -> None:
        # One more worker must fit below the hard limit, or the kernel would kill one to make room.
        fits = self._hard_limit is None or self._hard_limit - used > self._fresh_bytes
        _logger.warning(
            "memory limit reached: replacing the largest worker",
            extra={
                "worker": worker,
                "worker_bytes": private_bytes(worker),
                "used_bytes": used,
                "limit_bytes": self._fit.limit_bytes,
                "fresh_worker_bytes": self._fresh_bytes,
                "replacement_first": fits,
            },
        )
        metrics.incr(RESTARTS.name, tags={"cause": "memory"})
        self._replacements.begin(self._server, worker, new_first=fits)

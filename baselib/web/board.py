"""What every worker of a service does at this moment, written where the master can read it."""

import functools
import mmap
import os
from collections.abc import Callable, Iterable
from typing import Any, Final

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import REQUESTS_IN_FLIGHT, THREADS_BUSY, WORKERS
from baselib.telemetry.process import ProcessMetrics

# More than a reload of the largest number of workers needs.
_SLOTS: Final = 1024
_BYTES: Final = 8


class Board:
    """Requests in flight by worker, in memory shared with them: one number each, so that no lock is needed.

    >>> board = Board(slots=2)
    >>> slot = board.free_slot(taken=[])
    >>> board.write(slot, 3)
    >>> board.read(slot)
    3
    """

    def __init__(self, slots: int = _SLOTS) -> None:
        self._numbers = memoryview(mmap.mmap(-1, slots * _BYTES)).cast("q")

    def free_slot(self, taken: Iterable[int | None]) -> int | None:
        """A slot for a new worker, cleared; None when there is none, and the worker goes uncounted.

        Args:
            taken: The slots of the workers that live.
        """
        slot = next(iter(sorted(set(range(len(self._numbers))).difference(taken))), None)
        if slot is not None:
            self.write(slot, 0)
        return slot

    def write(self, slot: int, in_flight: int) -> None:
        """Say how many requests a worker has taken and not yet answered."""
        self._numbers[slot] = in_flight

    def read(self, slot: int) -> int:
        """What was written last."""
        return self._numbers[slot]


class BoardReporter:
    """Sends what is on the board, and what the processes use, from the master.

    Args:
        board: Where the workers write.
        threads: How many threads each worker has.
    """

    def __init__(self, board: Board, threads: int) -> None:
        self._board = board
        self._threads = threads
        self._ends: list[Callable[[], object]] = []

    def when_ready(self, server: Any) -> None:
        """gunicorn's hook: begin."""
        processes = ProcessMetrics(metrics, lambda: [os.getpid(), *server.WORKERS])
        self._ends = [metrics.sample(functools.partial(self.send, server)), metrics.sample(processes.sample)]

    def on_exit(self, server: Any) -> None:
        """gunicorn's hook: end."""
        for end in self._ends:
            end()

    def send(self, server: Any) -> None:
        """Send the gauges once; again and again, because one that is sent only when it changes looks like dead."""
        workers = list(server.WORKERS.values())
        numbers = [self._board.read(worker.slot) for worker in workers if worker.slot is not None]
        with metrics.pipeline() as gauges:
            gauges.gauge(WORKERS.name, len(workers))
            gauges.gauge(REQUESTS_IN_FLIGHT.name, sum(numbers))
            gauges.gauge(THREADS_BUSY.name, sum(min(number, self._threads) for number in numbers))

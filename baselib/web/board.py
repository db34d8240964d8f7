"""What every worker of a service does at this moment, written where the master can read it."""

import mmap
import threading
from collections.abc import Iterable
from typing import Any, Final

from baselib.concurrency import start_thread
from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import REQUESTS_IN_FLIGHT, THREADS_BUSY, WORKERS

# More than a reload of the largest number of workers needs.
_SLOTS: Final = 1024
_BYTES: Final = 8
_SECONDS: Final = 10.0


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
    """Sends what is on the board as gauges, from the master.

    Args:
        board: Where the workers write.
        threads: How many threads each worker has.
        seconds: How often; a gauge that is sent only when it changes looks like one that has died.
    """

    def __init__(self, board: Board, threads: int, seconds: float = _SECONDS) -> None:
        self._board = board
        self._threads = threads
        self._seconds = seconds
        self._stopped = threading.Event()

    def when_ready(self, server: Any) -> None:
        """gunicorn's hook: begin."""
        start_thread(self._run, server, name="baselib-board")

    def on_exit(self, server: Any) -> None:
        """gunicorn's hook: end."""
        self._stopped.set()

    def send(self, server: Any) -> None:
        """Send the gauges once."""
        workers = list(server.WORKERS.values())
        numbers = [self._board.read(worker.slot) for worker in workers if worker.slot is not None]
        with metrics.pipeline() as gauges:
            gauges.gauge(WORKERS.name, len(workers))
            gauges.gauge(REQUESTS_IN_FLIGHT.name, sum(numbers))
            gauges.gauge(THREADS_BUSY.name, sum(min(number, self._threads) for number in numbers))

    def _run(self, server: Any) -> None:
        while not self._stopped.wait(self._seconds):
            self.send(server)

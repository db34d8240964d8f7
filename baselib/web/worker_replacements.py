"""One worker of gunicorn taken out and another put in its place, the new one first."""

import logging
import mmap
import os
import signal
import time
from dataclasses import dataclass
from typing import Any, Final

from baselib.lifecycle import Life

_logger = logging.getLogger("baselib.web")

# Between the end of one worker and the choice of the next: a start costs CPU that requests want.
_DISTANCE_SECONDS: Final = 1.0
_ID_BYTES: Final = 8


@dataclass(slots=True)
class _Replacement:
    """One worker on its way out.

    Attributes:
        worker: Its process id.
        age: The arbiter's count of workers when the replacement began: who takes the place is younger.
        configuration: The arbiter's configuration then; a reload makes another and counts the workers anew.
        raised: Whether the arbiter keeps one worker more until this one has ended.
        deadline: When it is waited for no longer.
        signalled: Whether it has been told to end.
    """

    worker: int
    age: int
    configuration: object
    raised: bool
    deadline: float
    signalled: bool = False


class WorkerReplacements:
    """The replacements under way; all but `chosen` is for the arbiter's own loop.

    Args:
        life: The phase: nobody is told to end once the service drains.
        stop_seconds: How long a worker that ends is waited for.
    """

    def __init__(self, life: Life, stop_seconds: float) -> None:
        self._life = life
        self._stop_seconds = stop_seconds
        # Who was told last to end; the worker looks on its way out.
        self._chosen = mmap.mmap(-1, _ID_BYTES)
        self._under_way: list[_Replacement] = []
        self._not_before = float("-inf")

    @property
    def leaving(self) -> set[int]:
        """The workers on their way out."""
        return {replacement.worker for replacement in self._under_way}

    @property
    def chosen(self) -> bool:
        """In a worker: whether it is the one that was told last to end."""
        return int.from_bytes(self._chosen[:], "big") == os.getpid()

    @property
    def possible(self) -> bool:
        """Whether another may begin: one at a time, with a distance between, but nobody waits for one that hangs."""
        now = time.monotonic()
        return now >= self._not_before and all(now >= replacement.deadline for replacement in self._under_way)

    def begin(self, server: Any, worker: int, *, new_first: bool) -> None:
        """Begin to replace a worker.

        Args:
            server: The arbiter.
            worker: The process id of the worker.
            new_first: Whether another worker is to accept connections before this one is told to end.
        """
        deadline = time.monotonic() + server.timeout
        replacement = _Replacement(worker, server.worker_age, server.cfg, new_first, deadline)
        self._under_way.append(replacement)
        if new_first:
            # The arbiter starts it in this same turn.
            server.num_workers += 1
        else:
            self._end(server, replacement, signal.SIGTERM)

    def step(self, server: Any) -> None:
        """Take each of them a step further.

        Args:
            server: The arbiter, after it has reaped those that have ended and before it starts who is missing.
        """
        self._under_way = [replacement for replacement in self._under_way if self._goes_on(server, replacement)]

    def _goes_on(self, server: Any, replacement: _Replacement) -> bool:
        """Take a replacement one step further; False when it is over."""
        if server.cfg is not replacement.configuration:
            # The reload has replaced everybody.
            return False
        if replacement.worker not in server.WORKERS:
            if replacement.raised:
                server.num_workers -= 1
            self._not_before = time.monotonic() + _DISTANCE_SECONDS
            return False
        if not replacement.signalled and not self._life.draining:
            younger = {pid: worker for pid, worker in server.WORKERS.items() if worker.age > replacement.age}
            if any(map(accepts, younger.values())):
                self._end(server, replacement, signal.SIGTERM)
            elif younger and time.monotonic() >= replacement.deadline:
                _logger.error("the replacement of a worker does not start", extra={"worker": max(younger)})
                replacement.worker = max(younger)
                self._end(server, replacement, signal.SIGKILL)
        return True

    def _end(self, server: Any, replacement: _Replacement, number: signal.Signals) -> None:
        """Have a worker end; SIGTERM lets it finish its requests and answer what still comes on open connections."""
        replacement.signalled = True
        # One that takes longer goes on ending while others may be replaced.
        replacement.deadline = time.monotonic() + self._stop_seconds + 1
        self._chosen[:] = replacement.worker.to_bytes(_ID_BYTES, "big")
        server.kill_worker(replacement.worker, number)


def accepts(worker: Any) -> bool:
    """Whether a worker has come so far that it accepts connections.

    The file of its heartbeat is as old as the clock on the wall says, until the first heartbeat, after the listener is
    watched, sets its age on the monotonic clock.
    """
    try:
        return bool(worker.tmp.last_update() <= time.monotonic())
    except (OSError, ValueError):
        return False

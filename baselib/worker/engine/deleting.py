"""The threads that delete messages whose work is done, until SQS has done it."""

import contextlib
import logging
import threading
import time
from typing import Final

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import MESSAGES_DELETED
from baselib.worker.engine.batches import Batches
from baselib.worker.engine.lease import Lease, Leases
from baselib.worker.engine.pauses import Pauses
from baselib.worker.engine.queue import Queue, Refused

_logger = logging.getLogger("baselib.worker")

_THREADS: Final = 2
_GATHER_SECONDS: Final = 0.05
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 3.0
_COMPLAINT_SECONDS: Final = 30.0


class Deleter:
    """Deletes the messages of a queue.

    Args:
        queue: The queue.
        name: Its name, for logs and metrics.
        leases: What is held.
    """

    def __init__(self, queue: Queue, name: str, leases: Leases) -> None:
        self._queue = queue
        self._name = name
        self._tags = {"queue": name}
        self._leases = leases
        self._done: Batches[Lease] = Batches(_GATHER_SECONDS)
        # In a FIFO queue a message may not be deleted before an earlier one of its group, so that one thread does it.
        self._fifo = queue.fifo
        self._helped = self._failing = False
        self._under_way = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._given_up = threading.Event()
        self._complained = float("-inf")
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-delete-{number}", daemon=True)
            for number in range(1 if queue.fifo else _THREADS)
        ]

    def __len__(self) -> int:
        return len(self._done) + self._under_way

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def put(self, lease: Lease) -> None:
        """Delete a message soon."""
        if self._helped:
            self._done.put_quietly(lease)
        else:
            self._done.put(lease)

    def help(self) -> None:
        """Delete ten messages in this thread, where so many wait.

        For a thread that has just handled very short ones: waking another for the call costs more than making it.
        """
        # Where the last call did nothing, the threads that pause between two calls go on alone.
        if self._helped and not self._failing and (batch := self._done.full()):
            self._try(batch)

    def helped(self, helped: bool) -> None:
        """Know whether threads that put messages here also call `help`."""
        self._helped = helped and not self._fifo

    def finish(self, deadline: float) -> int:
        """Delete what is left.

        Args:
            deadline: When to give up, on the clock of `time.monotonic`.

        Returns:
            How many messages SQS did not delete.
        """
        self._closing.set()
        self._done.hurry()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._given_up.set()
        return len(self)

    def _run(self) -> None:
        pauses = Pauses(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        while not self._given_up.is_set():
            batch = self._done.get(timeout=None)
            if not batch:
                if self._closing.is_set():
                    if len(self) == 0:
                        return
                    # The other thread's batch may come back.
                    self._given_up.wait(_FIRST_PAUSE_SECONDS)
            elif self._try(batch):
                pauses.after_success()
            else:
                self._given_up.wait(pauses.after_failure())

    def _try(self, batch: list[Lease]) -> bool:
        """Delete up to ten messages; False where none of them was."""
        with self._lock:
            self._under_way += len(batch)
        left: list[Lease] = batch
        try:
            left = self._delete(batch)
        except Exception:
            # No thread may end before everything is deleted.
            _logger.exception("messages could not be deleted", extra={"queue": self._name})
        finally:
            with self._lock:
                self._under_way -= len(batch)
                self._done.put_back(left)
        self._failing = len(left) == len(batch)
        return not self._failing

    def _delete(self, batch: list[Lease]) -> list[Lease]:
        """Delete up to ten messages; those that are to be tried again."""
        mine, later = self._leases.claim(batch)
        if not mine:
            return later
        refused = Refused(mine, [])
        try:
            refused = self._queue.delete(mine)
        except Exception as error:  # noqa: BLE001 - the work is done, so the delete is tried until the end
            self._complain(str(error))
        gone = [lease for lease in mine if lease not in refused.again] if refused.again else mine
        # Dropped before they are released, so that no extension slips in between.
        self._leases.drop(gone)
        self._leases.release(mine)
        deleted = len(gone) - len(refused.lost)
        if refused.lost:
            # Somebody else has these, or will have them.
            _logger.warning("lease lost before the delete", extra={"queue": self._name, "messages": len(refused.lost)})
        if deleted:
            metrics.incr(MESSAGES_DELETED.name, deleted, tags=self._tags)
        for lease in gone:
            if lease.on_deleted is not None and lease not in refused.lost:
                with contextlib.suppress(Exception):
                    lease.on_deleted()
        return [*refused.again, *later]

    def _complain(self, reason: str) -> None:
        if time.monotonic() - self._complained > _COMPLAINT_SECONDS:
            self._complained = time.monotonic()
            _logger.warning("cannot delete", extra={"queue": self._name, "reason": reason})

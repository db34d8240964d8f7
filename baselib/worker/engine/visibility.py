"""The thread that says when held messages become visible to others: later, again and again, or at once.

One thread does all of this, so that no two of its calls can overtake each other: an extension that arrived after a
back-off would undo it.
"""

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Final

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import LEASES_LOST
from baselib.worker.engine.batches import BATCH, Batches
from baselib.worker.engine.lease import Lease, Leases
from baselib.worker.engine.pauses import Pauses
from baselib.worker.engine.queue import Queue, Refused

_logger = logging.getLogger("baselib.worker")

_GATHER_SECONDS: Final = 0.05
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 3.0
_COMPLAINT_SECONDS: Final = 30.0
# How often in a visibility time-out it is looked whether something has to be extended, which is done at its half.
_LOOKS: Final = 6
# By which SQS's count of the twelve hours may be ahead of ours.
_MARGIN_SECONDS: Final = 30.0

Change = tuple[Lease, int]


class Visibility:
    """Changes the visibility of the messages of a queue.

    Args:
        queue: The queue.
        name: Its name, for logs and metrics.
        leases: What is held; what is put off or given back must have been dropped from there.
        seconds: The visibility time-out to which everything held is extended.
    """

    def __init__(self, queue: Queue, name: str, leases: Leases, seconds: int) -> None:
        self._queue = queue
        self._name = name
        self._tags = {"queue": name}
        self._leases = leases
        self._seconds = seconds
        self._changes: Batches[Change] = Batches(_GATHER_SECONDS)
        self._under_way = 0
        self._closing = threading.Event()
        self._given_up = threading.Event()
        self._complained = float("-inf")
        self._thread = threading.Thread(target=self._run, name=f"{name}-visibility", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put_off(self, lease: Lease, seconds: float) -> None:
        """Let a message come again in so many seconds."""
        # SQS refuses what would end later than twelve hours after the receipt.
        longest = max(0.0, lease.last - time.monotonic() - _MARGIN_SECONDS)
        self._changes.put((lease, int(min(max(0.0, seconds), longest))))

    def give_back(self, leases: Iterable[Lease], seconds: int = 0) -> None:
        """Let messages be received by others, at once or in so many seconds."""
        self._changes.put_all([(lease, seconds) for lease in leases])

    def finish(self, deadline: float) -> int:
        """Make the changes that are left, and extend nothing more.

        Args:
            deadline: When to give up, on the clock of `time.monotonic`.

        Returns:
            For how many messages SQS did not take the change: they come back when their time-out ends.
        """
        self._closing.set()
        self._changes.hurry()
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._given_up.set()
        return len(self._changes) + self._under_way

    def _run(self) -> None:
        look = self._seconds / _LOOKS
        # Never so long that what is held could be lost meanwhile.
        pauses = Pauses(_FIRST_PAUSE_SECONDS, min(_LONGEST_PAUSE_SECONDS, look))
        looked = time.monotonic()
        while not self._given_up.is_set():
            batch = self._changes.get(max(0.0, looked + look - time.monotonic()))
            if batch:
                self._under_way = len(batch)
                left = self._change(batch)
                self._changes.put_back(left)
                self._under_way = 0
                if len(left) < len(batch):
                    pauses.after_success()
                else:
                    self._given_up.wait(pauses.after_failure())
            elif self._closing.is_set():
                return
            if time.monotonic() >= looked + look:
                looked = time.monotonic()
                try:
                    self._extend()
                except Exception:
                    # What is held depends on this thread.
                    _logger.exception("messages could not be extended", extra={"queue": self._name})

    def _change(self, batch: Sequence[Change]) -> list[Change]:
        """Make up to ten changes; those that are to be tried again."""
        # A message that is visible again by itself needs no change, and may be with somebody else.
        due = [change for change in batch if not change[0].lost]
        if not due:
            return []
        try:
            refused = self._queue.change(due)
        except Exception as error:  # noqa: BLE001 - tried again, for as long as it makes a difference
            self._complain("cannot put off or give back", str(error))
            return due
        return [change for change in due if change[0] in refused.again]

    def _extend(self) -> None:
        """Extend everything held, whether it waits, runs or is about to be deleted."""
        due = self._leases.due(time.monotonic() + self._seconds / 2)
        for start in range(0, len(due), BATCH):
            # Claimed for one call at a time, so that a call that hangs holds up no other message's delete.
            batch = self._leases.claim_held(due[start : start + BATCH])
            if not batch:
                continue
            began = time.monotonic()
            changes = [
                (lease, max(0, int(min(self._seconds, lease.last - began - _MARGIN_SECONDS)))) for lease in batch
            ]
            refused = Refused(batch, [])
            try:
                refused = self._queue.change(changes)
            except Exception as error:  # noqa: BLE001 - tried again at the next look
                self._complain("cannot extend", str(error))
            for lease, seconds in changes:
                if lease not in refused.again and lease not in refused.lost:
                    lease.until = began + seconds
            self._leases.release(batch)
            self._lose(refused.lost)
            for lease, seconds in changes:
                if (extended := lease.on_extended) is not None and not lease.lost:
                    extended(seconds)

    def _lose(self, leases: Sequence[Lease]) -> None:
        if not leases:
            return
        for lease in leases:
            lease.lose()
        metrics.incr(LEASES_LOST.name, len(leases), tags=self._tags)
        ids = [lease.raw["MessageId"] for lease in leases]
        _logger.warning("lease lost", extra={"queue": self._name, "message_ids": ids})

    def _complain(self, what: str, reason: str) -> None:
        if time.monotonic() - self._complained > _COMPLAINT_SECONDS:
            self._complained = time.monotonic()
            _logger.warning(what, extra={"queue": self._name, "reason": reason})

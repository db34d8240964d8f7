"""The engine: one thread receives, some handle, one deletes, one keeps what is held invisible to others.

A message is deleted after its work is done and never before, so that a crash repeats work and loses none. Receives,
deletes and extensions go in batches of ten, which is what makes a consumer cheap.
"""

import contextlib
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import MESSAGES_DELETED, MESSAGES_RECEIVED
from baselib.worker.lease import Lease, Leases
from baselib.worker.queue import BATCH, MAXIMUM_VISIBILITY_SECONDS, Queue

_logger = logging.getLogger("baselib.worker")

# The longest that SQS lets a receive wait, and the cheapest: 180 calls an hour on an empty queue.
_WAIT_SECONDS: Final = 20
_DELETE_WAIT_SECONDS: Final = 0.05
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 5.0
_COMPLAINT_SECONDS: Final = 30.0
_FIRST_RETRY_SECONDS: Final = 5.0
_LONGEST_RETRY_SECONDS: Final = 900.0
# A loop that has not turned for so long is stuck, and not waiting.
_STUCK_SECONDS: Final = 120.0


class Outcome(Enum):
    """What shall become of a message."""

    DONE = "done"
    RETRIED = "retried"
    REJECTED = "rejected"


Handle = Callable[[dict[str, Any]], tuple[Outcome, float | None]]


class Consumer:
    """Consumes one queue.

    Args:
        source: The queue.
        name: Its name, for logs and metrics.
        handle: Handles one message and says what shall become of it, with the seconds until it may come again where
            it said so; never raises.
        threads: How many messages are handled at a time.
        visibility: Seconds for which a received message is invisible to others; extended while it is held.
        wait: Seconds that a receive waits for a first message.
    """

    def __init__(
        self,
        source: Queue,
        name: str,
        handle: Handle,
        *,
        threads: int,
        visibility: int = 120,
        wait: int = _WAIT_SECONDS,
    ) -> None:
        self._queue = source
        self._name = name
        self._handle = handle
        self._visibility = visibility
        self._wait = wait
        self._leases = Leases()
        # Enough to keep every thread busy during a receive, and no more: what waits here cannot be handled elsewhere.
        self._room = threading.Semaphore(threads + BATCH)
        self._ready: queue.SimpleQueue[Lease | None] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[Lease | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._turned = time.monotonic()
        self._given_back = 0
        self._receiver = self._thread(self._receive, "receive")
        self._handlers = [self._thread(self._work, f"handle-{number}") for number in range(threads)]
        self._deleter = self._thread(self._delete, "delete")
        self._keeper = self._thread(self._keep, "keep")

    def start(self) -> None:
        """Begin to consume."""
        self._turned = time.monotonic()
        for thread in (*self._handlers, self._deleter, self._keeper, self._receiver):
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether the receiving loop has turned lately; an outage of SQS does not stop it from turning."""
        return time.monotonic() - self._turned < self._wait + _STUCK_SECONDS

    def drain(self, seconds: float) -> int:
        """Stop consuming: receive no more, finish what runs, give back what has not begun.

        Args:
            seconds: Time until what still runs is given back too.

        Returns:
            How many messages were given back.
        """
        deadline = time.monotonic() + seconds
        self._stopping.set()
        self._give_back(self._leases.take_waiting())
        for _ in self._handlers:
            self._ready.put(None)
        for handler in self._handlers:
            handler.join(max(0.0, deadline - time.monotonic()))
        self._finished.put(None)
        self._deleter.join(max(0.5, deadline - time.monotonic()))
        # A long poll cannot be cancelled: what it still returns would stay invisible until its time-out.
        self._receiver.join(max(0.0, deadline - time.monotonic()))
        self._stopped.set()
        self._give_back(self._leases.take_all())
        return self._given_back

    def _thread(self, target: Callable[[], None], name: str) -> threading.Thread:
        return threading.Thread(target=target, name=f"{self._name}-{name}", daemon=True)

    def _receive(self) -> None:
        pause, complained = _FIRST_PAUSE_SECONDS, float("-inf")
        while not self._stopping.is_set():
            self._turned = time.monotonic()
            places = self._take_places()
            if places == 0 or self._stopping.is_set():
                continue
            try:
                found = self._queue.receive(most=places, wait=self._wait, visibility=self._visibility)
                pause = _FIRST_PAUSE_SECONDS
            except Exception as error:  # noqa: BLE001 - no answer of AWS may end the loop
                found = []
                if time.monotonic() - complained > _COMPLAINT_SECONDS:
                    complained = time.monotonic()
                    _logger.warning("cannot receive", extra={"queue": self._name, "reason": str(error)})
                self._stopping.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(_LONGEST_PAUSE_SECONDS, pause * 2)
            if places > len(found):
                self._room.release(places - len(found))
            self._accept(found)

    def _take_places(self) -> int:
        """Reserve up to ten places for messages; waits for the first."""
        if not self._room.acquire(timeout=0.5):
            return 0
        places = 1
        while places < BATCH and self._room.acquire(blocking=False):
            places += 1
        return places

    def _accept(self, found: Sequence[dict[str, Any]]) -> None:
        if not found:
            return
        metrics.incr(MESSAGES_RECEIVED.name, len(found), tags={"queue": self._name})
        until = time.monotonic() + self._visibility
        leases = [Lease(raw, until) for raw in found]
        self._leases.add(leases)
        for lease in leases:
            self._ready.put(lease)
        if self._stopping.is_set():
            # A long poll that was under way when the drain began: nobody begins with these any more.
            self._give_back(self._leases.take_waiting())

    def _work(self) -> None:
        while (lease := self._ready.get()) is not None:
            if not self._leases.begin(lease):
                # Given back by whoever drains.
                continue
            outcome, delay = self._handle(lease.raw)
            if outcome is Outcome.RETRIED:
                self._back_off(lease, delay)
            elif outcome is Outcome.REJECTED and not self._bury(lease):
                self._back_off(lease, None)
            else:
                self._finished.put(lease)
            self._room.release()

    def _bury(self, lease: Lease) -> bool:
        try:
            return self._queue.send_to_dead_letters(lease.raw)
        except Exception:
            _logger.exception("cannot move to the dead-letter queue", extra={"queue": self._name})
            return False

    def _back_off(self, lease: Lease, delay: float | None) -> None:
        # Dropped before the change, so that the keeper cannot make it invisible again for longer.
        if not self._leases.drop(lease):
            return
        if delay is None:
            received = int(lease.raw.get("Attributes", {}).get("ApproximateReceiveCount", 1))
            longest = min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2 ** min(received - 1, 10))
            delay = random.uniform(longest / 2, longest)  # noqa: S311
        seconds = round(min(max(0.0, delay), MAXIMUM_VISIBILITY_SECONDS))
        # Where this fails the message comes again when its visibility time-out ends.
        with contextlib.suppress(Exception):
            self._queue.change_visibility([lease], seconds)

    def _delete(self) -> None:
        closing = False
        while not closing:
            first = self._finished.get()
            if first is None:
                return
            batch = [first]
            deadline = time.monotonic() + _DELETE_WAIT_SECONDS
            while len(batch) < BATCH:
                try:
                    lease = self._finished.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    break
                if lease is None:
                    closing = True
                    break
                batch.append(lease)
            self._delete_batch(batch)

    def _delete_batch(self, batch: list[Lease]) -> None:
        pause = _FIRST_PAUSE_SECONDS / 10
        while batch and not self._stopped.is_set():
            try:
                failed = self._queue.delete(batch)
            except Exception as error:  # noqa: BLE001 - the work is done, so the delete is tried until the end
                _logger.warning("cannot delete", extra={"queue": self._name, "reason": str(error)})
                failed = batch
            done = [lease for lease in batch if lease not in failed]
            for lease in done:
                self._leases.drop(lease)
            if done:
                metrics.incr(MESSAGES_DELETED.name, len(done), tags={"queue": self._name})
            batch = failed
            if batch:
                self._stopped.wait(pause)
                pause = min(_LONGEST_PAUSE_SECONDS, pause * 2)

    def _keep(self) -> None:
        """Extend everything held, whether it waits, runs or is about to be deleted."""
        while not self._stopped.wait(self._visibility / 6):
            due = self._leases.due(time.monotonic() + self._visibility / 2)
            for start in range(0, len(due), BATCH):
                batch = due[start : start + BATCH]
                began = time.monotonic()
                try:
                    failed = self._queue.change_visibility(batch, self._visibility)
                except Exception as error:  # noqa: BLE001 - tried again at the next turn
                    _logger.warning("cannot extend", extra={"queue": self._name, "reason": str(error)})
                    continue
                for lease in batch:
                    if lease not in failed:
                        lease.until = began + self._visibility

    def _give_back(self, taken: Sequence[Lease]) -> None:
        """Make messages that nobody holds any more visible to others at once."""
        self._given_back += len(taken)
        for start in range(0, len(taken), BATCH):
            # Where this fails they come back when their visibility time-out ends.
            with contextlib.suppress(Exception):
                self._queue.change_visibility(taken[start : start + BATCH], 0)

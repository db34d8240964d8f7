"""Receiving: a thread that waits for messages, helped by threads of the pool while the queue has more than it brings.

A thread that would otherwise wait for work fetches it itself. On a queue that is full, and with messages that take next
to no time, one thread then receives, handles and deletes, without a word to any other: that is as cheap as it gets.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import MESSAGES_RECEIVED
from baselib.worker.engine.batches import BATCH
from baselib.worker.engine.load import Load
from baselib.worker.engine.pauses import Pauses
from baselib.worker.engine.queue import Queue
from baselib.worker.engine.room import Room

_logger = logging.getLogger("baselib.worker")

# While others receive all there is, the thread that waits for messages looks so often whether they still do.
_PARKED_SECONDS: Final = 0.05
_FIRST_PAUSE_SECONDS: Final = 0.25
# An outage's end is noticed within this time.
_LONGEST_PAUSE_SECONDS: Final = 3.0
_COMPLAINT_SECONDS: Final = 30.0
# A loop that has not turned for so long, its long poll apart, is stuck and not waiting.
_STUCK_SECONDS: Final = 120.0

Accept = Callable[[list[dict[str, Any]]], None]


class Receiver:
    """Receives the messages of a queue.

    Args:
        queue: The queue.
        name: Its name, for logs and metrics.
        room: How many may be received.
        accept: Takes what was received.
        wait: Seconds that a receive waits for a first message.
        visibility: Seconds for which a received message is invisible to others.
    """

    def __init__(self, queue: Queue, name: str, room: Room, accept: Accept, *, wait: int, visibility: int) -> None:
        self._queue = queue
        self._name = name
        self._tags = {"queue": name}
        self._room = room
        self._accept = accept
        self._wait = wait
        self._visibility = visibility
        self._stopping = threading.Event()
        self._load = Load()
        self._lock = threading.Lock()
        self._helpers = 0
        self._helped = float("-inf")
        # Whether the last receive brought as many as it may.
        self._full = False
        # Set when it did not, and when it stops.
        self._go_on = threading.Event()
        self._turned = time.monotonic()
        self._complained = float("-inf")
        self._thread = threading.Thread(target=self._receive, name=f"{name}-receive", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._turned = time.monotonic()
        self._thread.start()

    @property
    def stopping(self) -> bool:
        """Whether it has been told to stop."""
        return self._stopping.is_set()

    @property
    def alive(self) -> bool:
        """Whether the loop has turned lately; an outage of SQS does not stop it from turning."""
        return time.monotonic() - self._turned < self._wait + _STUCK_SECONDS

    def stop(self) -> None:
        """Receive no more than what receives under way still bring."""
        self._stopping.set()
        self._go_on.set()

    def join(self, deadline: float) -> bool:
        """Wait for receives under way: what they still bring would otherwise stay invisible until its time-out.

        Args:
            deadline: When to wait no longer, on the clock of `time.monotonic`.

        Returns:
            Whether all of them have ended.
        """
        self._thread.join(max(0.0, deadline - time.monotonic()))
        while self._helpers and time.monotonic() < deadline:
            time.sleep(_PARKED_SECONDS)
        return not (self._thread.is_alive() or self._helpers)

    def help(self) -> None:
        """Receive in this thread, which has nothing else to do, if the queue has more than comes by itself.

        Not on a FIFO queue: receives beside each other would not keep the order.
        """
        if not self._full or self._queue.fifo or self._stopping.is_set():
            return
        with self._lock:
            # Where the interpreter is busy, a second thread would only wait for the first.
            if self._helpers and self._load.saturated():
                return
            self._helpers += 1
        try:
            # Not a long poll: on a queue that has become empty it would be one call too many each time.
            self._turn(0, 0.0)
        except Exception as error:  # noqa: BLE001 - the thread that waits for messages meets it too, and pauses
            self._full = False
            self._complain(error)
        finally:
            with self._lock:
                self._helpers -= 1
            self._helped = time.monotonic()

    def _receive(self) -> None:
        pauses = Pauses(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        while not self._stopping.is_set():
            self._turned = time.monotonic()
            if self._full and self._load.saturated() and self._turned - self._helped < 2 * _PARKED_SECONDS:
                self._go_on.wait(_PARKED_SECONDS)
                continue
            try:
                self._turn(self._wait, 0.5)
                pauses.after_success()
            except Exception as error:  # noqa: BLE001 - no answer of AWS may end the loop
                self._complain(error)
                self._stopping.wait(pauses.after_failure())

    def _turn(self, wait: int, patience: float) -> None:
        places = self._room.take(patience)
        if places == 0:
            return
        found: list[dict[str, Any]] = []
        try:
            if self._stopping.is_set():
                return
            found = self._queue.receive(most=places, wait=wait, visibility=self._visibility)
            self._note(len(found))
            if found:
                metrics.incr(MESSAGES_RECEIVED.name, len(found), tags=self._tags)
                self._accept(found)
        finally:
            if places != len(found):
                self._room.give_back(places - len(found))

    def _note(self, found: int) -> None:
        self._full = found == BATCH
        if not self._full:
            self._go_on.set()
        elif self._go_on.is_set() and not self._stopping.is_set():
            self._go_on.clear()

    def _complain(self, error: Exception) -> None:
        if time.monotonic() - self._complained > _COMPLAINT_SECONDS:
            self._complained = time.monotonic()
            _logger.warning("cannot receive", extra={"queue": self._name, "url": self._queue.url, "reason": str(error)})

"""The messages that this process holds: received, and not yet deleted or given back."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

LONGEST_HOLD_SECONDS: Final = 43_200.0
"""How long SQS lets a message be held, counted from its receipt.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""


# So near to that end, an extension would be worth nothing.
_LAST_SECONDS: Final = 60.0


class Lease:
    """One held message.

    Args:
        raw: The message as SQS gave it.
        received: When it arrived, on the clock of `time.monotonic`.
        visibility: Seconds from then on for which it is invisible to others.

    Attributes:
        until: When it becomes visible to others unless it is extended.
        last: When it becomes visible to others however often it is extended.
        request_id: That of the log lines about it; None before a handler of this process has begun with it.
        deadline: When its handler has to be done; None where nobody has said so.
        group: Its message group, in a FIFO queue.
        running: Whether a handler has begun with it.
        thread: The id of the thread in which it does.
        handled: Whether a handler has ended with it.
        busy: Whether a call of SQS about it is under way, which no second one may overtake.
        on_deleted: What is done when it has been deleted.
        on_extended: What is done when it has been extended, by so many seconds.
    """

    __slots__ = (
        "__weakref__",
        "_lost",
        "busy",
        "deadline",
        "group",
        "handled",
        "last",
        "on_deleted",
        "on_extended",
        "raw",
        "request_id",
        "running",
        "thread",
        "until",
    )

    def __init__(self, raw: dict[str, Any], received: float, visibility: float) -> None:
        self.raw = raw
        self.until = received + visibility
        self.last = received + LONGEST_HOLD_SECONDS
        self.deadline: float | None = None
        self.group: str | None = raw.get("Attributes", {}).get("MessageGroupId")
        self.running = self.handled = self.busy = self._lost = False
        self.thread: int | None = None
        self.request_id: str | None = None
        self.on_deleted: Callable[[], object] | None = None
        self.on_extended: Callable[[float], object] | None = None

    @classmethod
    def for_test(cls, raw: dict[str, Any]) -> "Lease":
        """A message that is not held by an engine."""
        return cls(raw, time.monotonic(), LONGEST_HOLD_SECONDS)

    @property
    def receipt(self) -> str:
        """What SQS wants to see for a delete or a change."""
        return str(self.raw["ReceiptHandle"])

    @property
    def receive_count(self) -> int:
        """How often the message has been received, this time included."""
        return int(self.raw.get("Attributes", {}).get("ApproximateReceiveCount", 1))

    @property
    def lost(self) -> bool:
        """Whether the message is, or may be, with somebody else."""
        return self._lost or time.monotonic() >= self.until

    @property
    def extendable(self) -> bool:
        """Whether SQS may let it be held for longer."""
        return not self._lost and self.until < self.last - _LAST_SECONDS

    def lose(self) -> None:
        """Note that SQS knows nothing of this receipt any more."""
        self._lost = True

    def finish_by(self, moment: float) -> None:
        """Give the handler a deadline, unless it has a nearer one."""
        if self.deadline is None or moment < self.deadline:
            self.deadline = moment


class Leases:
    """All held messages of a consumer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[Lease] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._held)

    def add(self, leases: Iterable[Lease]) -> bool:
        """Hold more messages; False, and nothing is held, where no handler may begin any more."""
        with self._lock:
            if not self._closed:
                self._held.update(leases)
            return not self._closed

    def drop(self, leases: Iterable[Lease]) -> None:
        """Hold messages no more."""
        with self._lock:
            self._held.difference_update(leases)

    def begin(self, lease: Lease) -> bool:
        """Mark that a handler begins with a message; False when it may not: it is not held any more."""
        with self._lock:
            if lease not in self._held or self._closed:
                return False
            lease.running = True
            lease.thread = threading.get_ident()
            return True

    def end(self, lease: Lease, *, keep: bool) -> bool:
        """Mark that a handler has ended with a message; False when it was given back meanwhile.

        Args:
            lease: The message.
            keep: Whether it is held until it has been deleted.
        """
        with self._lock:
            if lease not in self._held:
                return False
            lease.handled = True
            if not keep:
                self._held.remove(lease)
            return True

    def close(self) -> list[Lease]:
        """Let no handler begin any more, hold what none has begun with no more, and return it."""
        with self._lock:
            self._closed = True
            waiting = [lease for lease in self._held if not lease.running]
            self._held.difference_update(waiting)
            return waiting

    def take_unhandled(self) -> list[Lease]:
        """Hold what no handler has ended with no more, and return it."""
        with self._lock:
            unhandled = [lease for lease in self._held if not lease.handled]
            self._held.difference_update(unhandled)
            return unhandled

    def claim(self, leases: Iterable[Lease]) -> tuple[list[Lease], list[Lease]]:
        """Mark that a call about held messages begins.

        Returns:
            Those of them that the call may be about, and those about which another call is under way.
        """
        mine, later = [], []
        with self._lock:
            for lease in leases:
                if lease.busy:
                    later.append(lease)
                else:
                    lease.busy = True
                    mine.append(lease)
        return mine, later

    def due(self, before: float) -> list[Lease]:
        """What is held and becomes visible to others before a moment, although it could be held for longer."""
        with self._lock:
            return [each for each in self._held if each.until < before and each.extendable]

    def claim_held(self, leases: Iterable[Lease]) -> list[Lease]:
        """Mark that a call begins about those that are still held, and about which no other call is under way."""
        with self._lock:
            due = [lease for lease in leases if lease in self._held and not lease.busy]
            for lease in due:
                lease.busy = True
            return due

    def release(self, leases: Iterable[Lease]) -> None:
        """Mark that the call about these has ended."""
        with self._lock:
            for lease in leases:
                lease.busy = False

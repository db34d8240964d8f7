"""The messages that this process holds: received, and not yet deleted or given back."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, eq=False)
class Lease:
    """One held message.

    Attributes:
        raw: The message as SQS gave it.
        until: When it becomes visible to others unless it is extended, on the clock of `time.monotonic`.
        running: Whether a handler has begun with it.
    """

    raw: dict[str, Any]
    until: float
    running: bool = False

    @property
    def receipt(self) -> str:
        """What SQS wants to see for a delete or a change."""
        return str(self.raw["ReceiptHandle"])


class Leases:
    """All held messages of a consumer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[Lease] = set()

    def add(self, leases: Iterable[Lease]) -> None:
        """Hold more messages."""
        with self._lock:
            self._held.update(leases)

    def drop(self, lease: Lease) -> bool:
        """Hold a message no more; False when it was not held."""
        with self._lock:
            if lease not in self._held:
                return False
            self._held.remove(lease)
            return True

    def begin(self, lease: Lease) -> bool:
        """Mark that a handler begins with a message; False when it is not held any more."""
        with self._lock:
            if lease not in self._held:
                return False
            lease.running = True
            return True

    def take_waiting(self) -> list[Lease]:
        """Hold what no handler has begun with no more, and return it."""
        with self._lock:
            waiting = [lease for lease in self._held if not lease.running]
            self._held.difference_update(waiting)
            return waiting

    def take_all(self) -> list[Lease]:
        """Hold nothing more, and return what was held."""
        with self._lock:
            held, self._held = list(self._held), set()
            return held

    def due(self, before: float) -> list[Lease]:
        """What becomes visible to others before a moment on the clock of `time.monotonic`."""
        with self._lock:
            return [lease for lease in self._held if lease.until < before]

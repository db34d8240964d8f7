"""The messages of a queue that wait in this process for a thread."""

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from baselib.worker.engine.lease import Lease


class Line(Protocol):
    """Messages that wait. The pool's lock is held by whoever calls any of this."""

    def __len__(self) -> int:
        """How many could be taken now, at least as far as zero or not."""

    def put(self, leases: Iterable[Lease]) -> None:
        """Let messages wait, in this order."""

    def take(self, most: int) -> list[Lease]:
        """Messages to be handled now; they wait no more."""

    def finished(self, lease: Lease, *, in_order: bool) -> list[Lease]:
        """Learn that a message was handled.

        Args:
            lease: The message.
            in_order: Whether the next one of its group may be handled; where not, those that wait here must not be.

        Returns:
            Messages that wait no more and have to be given back, in this order.
        """

    def clear(self) -> None:
        """Let nothing wait any more."""


class StandardLine:
    """Of a standard queue, which promises no order."""

    def __init__(self) -> None:
        self._waiting: deque[Lease] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, leases: Iterable[Lease]) -> None:
        """Let messages wait."""
        self._waiting.extend(leases)

    def take(self, most: int) -> list[Lease]:
        """The oldest of those that wait."""
        if most == 1:
            return [self._waiting.popleft()] if self._waiting else []
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def finished(self, lease: Lease, *, in_order: bool) -> list[Lease]:
        """Nothing follows from it."""
        return []

    def clear(self) -> None:
        """Let nothing wait any more."""
        self._waiting.clear()


class GroupedLine:
    """Of a FIFO queue: the messages of a group one after the other, the groups beside each other.

    SQS gives out no message of a group while an earlier one is held, so that the order across processes is its work,
    and the order among what one process holds is ours.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
    """

    def __init__(self) -> None:
        # Every group of which something is held: what waits, in order.
        self._groups: dict[str | None, deque[Lease]] = {}
        # Those of them of which nothing is being handled; the first has waited longest.
        self._free: deque[str | None] = deque()
        self._handled: dict[str | None, int] = {}

    def __len__(self) -> int:
        return len(self._free)

    def put(self, leases: Iterable[Lease]) -> None:
        """Let messages wait behind those of their groups."""
        for lease in leases:
            waiting = self._groups.get(lease.group)
            if waiting is None:
                waiting = self._groups[lease.group] = deque()
                self._free.append(lease.group)
            waiting.append(lease)

    def take(self, most: int) -> list[Lease]:
        """The first messages of the groups of which nothing is being handled."""
        taken: list[Lease] = []
        while self._free and len(taken) < most:
            group = self._free.popleft()
            waiting = self._groups[group]
            number = min(most - len(taken), len(waiting))
            taken.extend(waiting.popleft() for _ in range(number))
            self._handled[group] = number
        return taken

    def finished(self, lease: Lease, *, in_order: bool) -> list[Lease]:
        """Free the group when the last of those that were taken has been handled, or give back what waits of it."""
        group = lease.group
        given_back: list[Lease] = []
        waiting = self._groups.get(group)
        if not in_order and waiting:
            given_back = list(waiting)
            waiting.clear()
        self._handled[group] -= 1
        if self._handled[group] == 0:
            del self._handled[group]
            if waiting:
                self._free.append(group)
            else:
                self._groups.pop(group, None)
        return given_back

    def clear(self) -> None:
        """Let nothing wait any more; what is being handled stays known."""
        for group in list(self._groups):
            self._groups[group].clear()
            if group not in self._handled:
                del self._groups[group]
        self._free.clear()

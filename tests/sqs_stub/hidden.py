"""Messages that become visible later, by the time at which they do."""

import heapq
from collections.abc import Iterator
from typing import Final

from tests.sqs_stub.message import Message, State

_COMPACT_ABOVE: Final = 10_000
_HIDDEN: Final = (State.IN_FLIGHT, State.DELAYED)


class Hidden:
    """A heap in which what was changed or deleted since stays until its time, or until there is too much of it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Message]] = []
        self._pushed = 0
        self._compact_at = _COMPACT_ABOVE

    def push(self, message: Message, due: float) -> None:
        """Let a message become visible then, and not when it would have before."""
        message.due = due
        if len(self._heap) > self._compact_at:
            self._compact()
        self._pushed += 1
        # The number keeps messages of the same time in order, and from being compared.
        heapq.heappush(self._heap, (due, self._pushed, message))

    def due(self, now: float) -> Iterator[tuple[float, Message]]:
        """Take out what becomes visible until now, in order, each with its time."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            due, _, message = heapq.heappop(heap)
            if message.due == due and message.state in _HIDDEN:
                yield due, message

    @property
    def next_due(self) -> float:
        """When something becomes visible at the earliest; infinite when nothing does."""
        return self._heap[0][0] if self._heap else float("inf")

    def _compact(self) -> None:
        self._heap = [entry for entry in self._heap if entry[2].due == entry[0] and entry[2].state in _HIDDEN]
        heapq.heapify(self._heap)
        self._compact_at = max(_COMPACT_ABOVE, 2 * len(self._heap))

"""Messages that were received and have to be deleted or given back."""

import time
from collections.abc import Sequence
from typing import Final, Self

from baselib.queues.batches import BATCH, Raw, call_in_batches
from baselib.queues.errors import QueueError, explained
from baselib.queues.queue import OperatedQueue

# An answer may be empty although there is something: a server of SQS may have failed to answer in time.
_EMPTY_ANSWERS: Final = 2
# Messages seen before, and no others: their visibility ran out before everything was seen.
_REPEATED_ANSWERS: Final = 5
# Who gives back a message that has become visible by itself may take it from whoever received it since.
_MARGIN_SECONDS: Final = 2.0
# The message is visible already.
_VISIBLE: Final = "NotInflight"


class Holding:
    """Receives from a queue, each message once, and at the end gives back what it still holds.

    Args:
        queue: The queue.
        visibility_seconds: For how long nobody else gets what was received, if this process is killed.

    Attributes:
        exhausted: Whether the queue gives nothing more that has not been seen.
        hidden: How many messages could not be given back: they become visible by themselves.
    """

    def __init__(self, queue: OperatedQueue, visibility_seconds: int) -> None:
        self._queue = queue
        self._visibility = visibility_seconds
        self._held: dict[str, tuple[Raw, float]] = {}
        self._seen: set[str] = set()
        self._empty = self._repeated = 0
        self.exhausted = False
        self.hidden = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def receive(self, most: int = BATCH) -> list[Raw]:
        """Receive messages that were not seen before; none may mean that there are more.

        Args:
            most: How many at most, up to ten.

        Raises:
            QueueError: AWS refuses, or cannot be reached.
        """
        # Before the call, because SQS counts from some moment during it.
        until = time.monotonic() + self._visibility - _MARGIN_SECONDS
        with explained(self._queue.name):
            received = self._queue.receive(most, self._visibility)
        new = []
        for raw in received:
            self._held[raw["MessageId"]] = (raw, until)
            if raw["MessageId"] not in self._seen:
                self._seen.add(raw["MessageId"])
                new.append(raw)
        self._empty = 0 if received else self._empty + 1
        self._repeated = 0 if new or not received else self._repeated + 1
        self.exhausted = self._empty >= _EMPTY_ANSWERS or self._repeated >= _REPEATED_ANSWERS
        return new

    def delete(self, raws: Sequence[Raw]) -> dict[str, str]:
        """Delete messages.

        Returns:
            The ids of those that could not be deleted, and why. They are held no more: to show them again at once
            would only mean that somebody gets them once more.

        Raises:
            QueueError: AWS refuses, or cannot be reached; nothing is known about any of them, and they stay held.
        """
        entries = [{"ReceiptHandle": raw["ReceiptHandle"]} for raw in raws]
        with explained(self._queue.name):
            failed = call_in_batches(self._queue.delete, entries)
        for raw in raws:
            self._held.pop(raw["MessageId"], None)
        return {str(raws[place]["MessageId"]): reason for place, reason in failed.items()}

    def give_back(self) -> None:
        """Make everything that is held visible to others at once."""
        now = time.monotonic()
        held = [raw for raw, until in self._held.values() if until > now]
        self._held.clear()
        for first in range(0, len(held), BATCH):
            batch = held[first : first + BATCH]
            entries = [{"ReceiptHandle": raw["ReceiptHandle"], "VisibilityTimeout": 0} for raw in batch]
            try:
                with explained(self._queue.name):
                    failed = call_in_batches(self._queue.change_visibility, entries)
                self.hidden += sum(_VISIBLE not in reason for reason in failed.values())
            except QueueError:
                self.hidden += len(batch)

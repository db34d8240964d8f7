"""Things that come one by one and leave in batches."""

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Generic, TypeVar

BATCH: Final = 10
"""How many entries a call of SQS may have.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
"""

_T = TypeVar("_T")


class Batches(Generic[_T]):
    """Gathers things for a thread, or several, that wants ten at a time.

    Args:
        gather_seconds: How long a first one waits for nine more.
    """

    def __init__(self, gather_seconds: float) -> None:
        self._gather_seconds = gather_seconds
        self._changed = threading.Condition()
        self._waiting: deque[_T] = deque()
        # How many threads have seen the first of what waits, and give it a moment; and whether one was called to it.
        self._gathering = 0
        self._called = False
        self._hurry = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, thing: _T) -> None:
        """Add one; it leaves with others, or soon."""
        with self._changed:
            self._waiting.append(thing)
            # Nobody is woken for those in between.
            if not self._called or len(self._waiting) == BATCH:
                self._call()

    def put_quietly(self, thing: _T) -> None:
        """Add one for a caller that will itself ask for a full batch at once."""
        with self._changed:
            self._waiting.append(thing)
            if not self._called:
                self._call()

    def put_all(self, things: Iterable[_T]) -> None:
        """Add several."""
        with self._changed:
            self._waiting.extend(things)
            self._call()

    def put_back(self, things: Sequence[_T]) -> None:
        """Put several before all others, where they came from."""
        if things:
            with self._changed:
                self._waiting.extendleft(reversed(things))
                self._call()

    def get(self, timeout: float | None) -> list[_T]:
        """Up to ten; none where there is none within `timeout` seconds."""
        with self._changed:
            if not self._waiting and not self._hurry:
                self._called = self._gathering > 0
                self._changed.wait(timeout)
            if (self._waiting or self._called) and len(self._waiting) < BATCH and not self._hurry:
                self._gathering += 1
                self._changed.wait_for(lambda: len(self._waiting) >= BATCH or self._hurry, self._gather_seconds)
                self._gathering -= 1
            self._called = self._gathering > 0
            return self._taken()

    def full(self) -> list[_T]:
        """Ten where so many wait, none otherwise; at once."""
        if len(self._waiting) < BATCH:
            return []
        with self._changed:
            return self._taken() if len(self._waiting) >= BATCH else []

    def hurry(self) -> None:
        """Let nobody wait any more, now and later."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()

    def _call(self) -> None:
        self._called = True
        self._changed.notify()

    def _taken(self) -> list[_T]:
        return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

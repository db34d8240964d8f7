"""Those who wait for messages of one queue."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from tests.sqs_stub.clock import Clock
from tests.sqs_stub.waiting import Waiter


class LongPolls:
    """Waiting receives, in the order in which they came.

    Args:
        clock: The stub's clock.
        wake: Called when a message becomes visible while somebody waits.
    """

    def __init__(self, clock: Clock, wake: Callable[[], None]) -> None:
        self._clock, self._wake = clock, wake
        self._waiters: deque[Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._due = float("inf")

    def __bool__(self) -> bool:
        return bool(self._waiters)

    def add(self, waiter: Waiter) -> None:
        """Let one more wait."""
        while self._waiters and self._waiters[0].finished:
            self._waiters.popleft()
        self._waiters.append(waiter)

    def listening(self) -> Iterator[Waiter]:
        """Take out those who still wait; who does not get what it came for is put back first in line."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if waiter.finished:
                continue
            if waiter.listening:
                yield waiter
            else:
                waiter.cancel()

    def put_back(self, waiter: Waiter) -> None:
        """Let one wait on, before all others."""
        self._waiters.appendleft(waiter)

    def look_at(self, due: float) -> None:
        """With somebody waiting, look when the next message becomes visible."""
        if not self._waiters or due == float("inf") or (self._timer and self._due <= due):
            return
        self.forget_time()
        self._due = due
        self._timer = asyncio.get_running_loop().call_at(due - self._clock.base, self._on_timer)

    def forget_time(self) -> None:
        """The clock was moved, or something is due earlier."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def check(self) -> None:
        """The clock was moved: end those whose time is over."""
        self.forget_time()
        for waiter in list(self._waiters):
            waiter.check()

    def end(self) -> None:
        """Let nobody wait any more."""
        for waiter in list(self._waiters):
            waiter.deliver([])

    def _on_timer(self) -> None:
        self._timer = None
        self._wake()

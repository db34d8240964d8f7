"""The circuit breaker: a dependency that fails is left in peace for a while, and its callers get their answer at once.

The pattern is Michael Nygard's (Release It!, 2007); the words are those of
https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker and the sliding window by time, with a least
number of calls, is resilience4j's.

>>> now = 0.0
>>> breaker = CircuitBreaker(lambda: now)
>>> for _ in range(MINIMUM_CALLS):
...     breaker.record(breaker.enter(), failed=True)
>>> breaker.state, breaker.enter()
('open', None)
>>> now = OPEN_SECONDS
>>> breaker.record(breaker.enter(), failed=False)
>>> breaker.state
'half-open'
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

State = Literal["closed", "open", "half-open"]

WINDOW_SECONDS: Final = 10.0
MINIMUM_CALLS: Final = 10
FAILURE_RATE: Final = 0.5
OPEN_SECONDS: Final = 5.0
PROBES: Final = 3


class CircuitBreaker:
    """Closed while all is well; open, for 5 s, when half of at least 10 attempts within 10 s failed; then half-open.

    Half-open, three attempts are let through. It closes when all three succeed, and opens again with the first that
    fails.

    Args:
        clock: Seconds that never go back.
        changed: Is told each new state; in the thread of the call that caused it, outside the lock.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, changed: Callable[[State], None] = lambda state: None
    ) -> None:
        self._clock = clock
        self._changed = changed
        self.after_fork()

    def after_fork(self) -> None:
        """Begin anew, closed: the lock may have been held by a thread that this process does not have."""
        self._lock = threading.Lock()
        self._become("closed")

    @property
    def state(self) -> State:
        """The present state; open until the first attempt after the pause."""
        return self._state

    @property
    def lets_through(self) -> bool:
        """Whether an attempt would be let through now."""
        with self._lock:
            return self._state == "closed" or self._probe_allowed()

    def enter(self) -> int | None:
        """Ask to make an attempt: a token for `record`, None when it must not be made."""
        changed = False
        with self._lock:
            if self._state != "closed":
                if not self._probe_allowed():
                    return None
                if self._state == "open":
                    self._become("half-open")
                    changed = True
                self._probing += 1
            token = self._period
        if changed:
            self._changed("half-open")
        return token

    def record(self, token: int | None, *, failed: bool | None) -> None:
        """Say how an attempt went.

        Args:
            token: What `enter` gave.
            failed: Whether the dependency failed; None when the attempt tells nothing about it.
        """
        with self._lock:
            if token != self._period:
                # It began before the last change of state and says nothing about what has come since.
                return
            state = self._next_state(failed)
            if state is None:
                return
            self._become(state)
        self._changed(state)

    def _probe_allowed(self) -> bool:
        if self._state == "open":
            return self._clock() - self._since >= OPEN_SECONDS
        return self._probing + self._succeeded < PROBES

    def _next_state(self, failed: bool | None) -> State | None:
        if self._state == "half-open":
            self._probing -= 1
            if failed:
                return "open"
            self._succeeded += failed is False
            return "closed" if self._succeeded >= PROBES else None
        if failed is None:
            return None
        second = int(self._clock())
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
        while self._seconds[0][0] <= second - WINDOW_SECONDS:
            self._seconds.popleft()
        self._seconds[-1][1] += 1
        self._seconds[-1][2] += failed
        calls = sum(bucket[1] for bucket in self._seconds)
        failures = sum(bucket[2] for bucket in self._seconds)
        return "open" if failed and calls >= MINIMUM_CALLS and failures >= FAILURE_RATE * calls else None

    def _become(self, state: State) -> None:
        self._state: State = state
        self._since = self._clock()
        self._period = getattr(self, "_period", 0) + 1
        self._probing = self._succeeded = 0
        # Each is a second, the attempts in it and the failures among them.
        self._seconds: deque[list[int]] = deque()

"""How long the messages of a queue take, from which follows how many are held ahead and how many threads are woken."""

import math
from typing import Final

# What is held ahead is worked through in about so long: enough to outlast a receive, and no more, because what waits
# here cannot be handled by another task.
_AHEAD_SECONDS: Final = 1.0
_MOST_AHEAD: Final = 20
# Below this much work, another thread would cost more than it helps.
_WORTH_A_THREAD_SECONDS: Final = 0.002
_SHORT_SECONDS: Final = 0.001
_WEIGHT_OF_NEWEST: Final = 0.2


class Pace:
    """The mean time that a message takes, of late."""

    def __init__(self) -> None:
        self._seconds: float | None = None

    def note(self, seconds: float) -> None:
        """Take a message's time into account."""
        known = self._seconds
        # Two threads may do this at the same time; the mean is none the worse for it.
        self._seconds = seconds if known is None else known + _WEIGHT_OF_NEWEST * (seconds - known)

    @property
    def short(self) -> bool:
        """Whether messages take so little that handing anything to another thread costs more."""
        return self._seconds is not None and self._seconds < _SHORT_SECONDS

    def ahead(self, threads: int) -> int:
        """How many messages to hold besides those being handled."""
        if self._seconds is None:
            return 0
        return min(_MOST_AHEAD, int(threads * _AHEAD_SECONDS / max(self._seconds, 1e-6)))

    def threads_for(self, messages: int) -> int:
        """How many threads so many messages are worth."""
        if self._seconds is None:
            return messages
        return min(messages, math.ceil(messages * self._seconds / _WORTH_A_THREAD_SECONDS) or 1)

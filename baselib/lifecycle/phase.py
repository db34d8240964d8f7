"""The phase of life that a process is in, shared with the processes that it forks."""

import mmap
import time
from enum import IntEnum
from typing import Final


class Phase(IntEnum):
    """starting -> ready -> draining -> stopped; never back."""

    STARTING = 0
    READY = 1
    DRAINING = 2
    STOPPED = 3


class Life:
    """A phase that only goes forward.

    It lives in memory shared with forked children, so that gunicorn's master says "draining" once and every worker's
    readiness endpoint knows in the same instant.
    """

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)
        self.started = time.time()

    @property
    def phase(self) -> Phase:
        """The present phase."""
        return Phase(self._shared[0])

    def advance(self, phase: Phase) -> bool:
        """Go on to a later phase; False, and nothing changes, when it is not later.

        Args:
            phase: The phase to be in.
        """
        if phase <= self._shared[0]:
            return False
        self._shared[0] = phase
        return True

    @property
    def draining(self) -> bool:
        """Whether the process has been told to stop."""
        return self._shared[0] >= Phase.DRAINING


LIFE: Final = Life()
"""The life of this process; made when baselib is first imported, so that forked children share it."""

"""The bulkhead: a slow dependency fills its own compartment and does not sink the ship."""

import threading
from typing import Final

WAIT_SECONDS: Final = 0.1
"""How long a call waits for a place. It waits in a thread that answers nobody else meanwhile, so not for long."""


def places_for(threads: int) -> int:
    """How many calls of one dependency may be in flight: three quarters of the threads, and never the last one.

    With four threads three may wait for a dependency that hangs, and one goes on with what does not need it. A process
    with one thread has nothing to protect.

    Args:
        threads: The threads of this process that call.
    """
    return max(1, threads - max(1, threads // 4))


class Bulkhead:
    """Bounds the calls in flight.

    Args:
        places: How many there may be.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self.after_fork()

    def after_fork(self) -> None:
        """Begin anew, empty: the calls in flight are the parent's."""
        self._free = threading.BoundedSemaphore(self.places)

    def enter(self, timeout: float) -> bool:
        """Take a place; False when none was free in time.

        Args:
            timeout: Seconds to wait.
        """
        return self._free.acquire(timeout=max(0.0, timeout))

    def leave(self) -> None:
        """Give the place back."""
        self._free.release()

"""How many more messages a consumer may receive now."""

import threading
from collections.abc import Callable
from typing import Final

from baselib.worker.engine.batches import BATCH
from baselib.worker.engine.pace import Pace

# What is done and cannot be deleted is held in memory and extended all the time; beyond this it is better to wait.
_MOST_UNDELETED: Final = 500


class Room:
    """Places for messages that wait or are being handled.

    Args:
        threads: How many calls of the handler run at a time.
        batch: How many messages such a call takes.
        pace: How long a message takes.
        undeleted: How many messages are done and not deleted yet.
    """

    def __init__(self, threads: int, batch: int, pace: Pace, undeleted: Callable[[], int]) -> None:
        self._threads = threads
        self._in_work = threads * batch
        self._least = min(BATCH, batch)
        self._pace = pace
        self._undeleted = undeleted
        self._changed = threading.Condition()
        self._taken = 0
        self._wanted = 0

    def take(self, timeout: float) -> int:
        """Take up to ten places, as soon as a receive is worth it.

        Args:
            timeout: Seconds to wait for that.

        Returns:
            How many were taken; 0 after the time-out.
        """
        with self._changed:
            if not self._changed.wait_for(self._worth_it, timeout):
                return 0
            places = min(BATCH, self._free())
            self._taken += places
            return places

    def give_back(self, places: int) -> None:
        """Free places."""
        with self._changed:
            self._taken -= places
            if self._wanted and self._free() >= self._wanted:
                self._changed.notify()

    def _free(self) -> int:
        return self._in_work + self._pace.ahead(self._threads) - self._taken

    def _worth_it(self) -> bool:
        # While there is enough at hand, a receive waits until it can bring ten; otherwise it brings what it can.
        enough = min(BATCH, max(self._least, self._pace.ahead(self._threads)))
        if self._free() >= enough and self._undeleted() < _MOST_UNDELETED:
            self._wanted = 0
            return True
        self._wanted = enough
        return False

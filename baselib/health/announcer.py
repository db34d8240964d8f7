"""Tells others what has changed, from a thread of its own: who listens slowly delays no check."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from baselib.concurrency import start_thread

_logger = logging.getLogger(__name__)

_MOST_WAITING: Final = 100


class Announcer:
    """Calls functions in order, one at a time; its thread lives only while there are some."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Whoever listens for ever loses the oldest, instead of filling the memory.
        self._waiting: deque[Callable[[], object]] = deque(maxlen=_MOST_WAITING)
        self._busy = False

    def tell(self, function: Callable[[], object]) -> None:
        """Call a function soon; never blocks and never raises."""
        with self._lock:
            self._waiting.append(function)
            if self._busy:
                return
            # Without a thread it is told with the next change.
            self._busy = start_thread(self._run, name="health-changes") is not None

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy = False
                    return
                function = self._waiting.popleft()
            try:
                function()
            except BaseException:  # a listener may even raise SystemExit; the next is told all the same
                _logger.warning("a listener of health changes failed", exc_info=True)

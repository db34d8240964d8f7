"""Ctrl-C and SIGTERM as a question that is answered between two calls, so that nothing received is forgotten.

An exception in the middle of a receive would leave the messages that SQS has just handed out hidden, and nobody would
know which.
"""

import os
import signal
import threading
import time
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_SLICE_SECONDS: Final = 0.1
_STANDARD_ERROR: Final = 2


class Interruption:
    """Notes the first signal; a second one raises KeyboardInterrupt at once.

    Attributes:
        asked: Whether a signal has come.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than until a signal comes.

        Args:
            seconds: For how long at most.
        """
        until = time.monotonic() + seconds
        while not self.asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(_SLICE_SECONDS, left))

    def _note(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        # Not through sys.stderr, which the signal may have found in the middle of a write.
        os.write(_STANDARD_ERROR, b"\nstopping; once more to leave at once\n")

"""The end of a process that no Python code can end any more, because something holds the interpreter.

A loop in C that never lets go of the interpreter stops every thread and every signal handler of Python. What is left is
a timer of the C library, whose thread calls `_exit` by itself, with the exit code as its argument.

Sources: https://man7.org/linux/man-pages/man2/timer_create.2.html,
https://man7.org/linux/man-pages/man7/sigevent.7.html
"""

import ctypes
import faulthandler
import threading
import time
from typing import Any, Final

from baselib.contract import ExitCode

_CLOCK_MONOTONIC: Final = 1
_SIGEV_THREAD: Final = 2
_SIGEVENT_BYTES: Final = 64
_STANDARD_ERROR: Final = 2
# After the stacks have been written.
_EXIT_DELAY_SECONDS: Final = 0.5
_SHORTEST_SECONDS: Final = 0.001


class _Event(ctypes.Structure):
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("padding", ctypes.c_char * (_SIGEVENT_BYTES - 32)),
    )


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timing(ctypes.Structure):
    _fields_ = (("interval", _Time), ("value", _Time))


class LastResort:
    """Ends the process with exit code 70 at the earliest of some moments, whatever it is doing then.

    The stacks of all threads go to standard error before. Where the C library has no such timer, as on macOS, the exit
    code is 1.
    """

    def __init__(self) -> None:
        # A signal handler may come while the main thread is in here.
        self._lock = threading.RLock()
        self._moments: dict[str, float] = {}
        self._closed = False
        self._library: Any = None
        self._timer = ctypes.c_void_p()
        try:
            library = ctypes.CDLL(None, use_errno=True)
            function = ctypes.cast(library._exit, ctypes.c_void_p)
            event = _Event(value=int(ExitCode.CRASHED), notify=_SIGEV_THREAD, function=function)
            if library.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(self._timer)) == 0:
                self._library = library
        except (OSError, AttributeError):
            # Another system; the stack dump ends the process there.
            self._library = None

    def set(self, reason: str, moment: float) -> None:
        """End the process at a moment.

        Args:
            reason: Who asks; his earlier moment is forgotten.
            moment: When, on the clock of `time.monotonic`.
        """
        with self._lock:
            if not self._closed:
                self._moments[reason] = moment
                self._arm()

    def close(self) -> None:
        """Forget all moments, and the timer; nobody can ask for another one."""
        with self._lock:
            self._closed = True
            self._moments.clear()
            self._arm()
            if self._library is not None:
                self._library.timer_delete(self._timer)
                self._library = None

    def _arm(self) -> None:
        left = None
        if self._moments:
            left = max(_SHORTEST_SECONDS, min(self._moments.values()) - time.monotonic())
            faulthandler.dump_traceback_later(left, exit=self._library is None, file=_STANDARD_ERROR)
        else:
            faulthandler.cancel_dump_traceback_later()
        if self._library is not None:
            seconds, rest = divmod(left + _EXIT_DELAY_SECONDS if left is not None else 0.0, 1)
            # All zeros disarm it.
            timing = _Timing(value=_Time(int(seconds), int(rest * 1e9)))
            self._library.timer_settime(self._timer, 0, ctypes.byref(timing), None)

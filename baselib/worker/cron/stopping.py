"""How a run is stopped from outside: by an exception, and by the end of the process where that is no use."""

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final, Self, TypeVar

from baselib.concurrency import start_thread
from baselib.worker.cron.errors import DeadlineExceededError, StoppedError, TerminatedError
from baselib.worker.cron.fork_signals import forget_in_children, remember_in_children
from baselib.worker.cron.last_resort import LastResort

_NUMBERS: Final = (signal.SIGALRM, signal.SIGTERM)
# For the last words of a process that ends itself: telemetry is flushed within 3 s.
_LAST_WORDS_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.1
_LONGEST_SELECT_SECONDS: Final = 3600.0

_T = TypeVar("_T")


class Stopper:
    """Stops what the main thread does at a deadline, at SIGTERM, or when it is asked to.

    First an exception is raised in the main thread, once. What still runs after a time of grace is ended together with
    the process: by a thread, which has last words, and where no thread can run, by the C library without any.

    Args:
        deadline_seconds: For how long the work may take.
        grace_seconds: How long it may take to clean up once it has been stopped.
        end: Called by the thread with the reason; does not return.
        stopping: Called when it is stopped, with the seconds of grace; in a signal handler, so it is brief.
    """

    def __init__(
        self,
        deadline_seconds: float,
        grace_seconds: float,
        end: Callable[[StoppedError], object],
        stopping: Callable[[float], object],
    ) -> None:
        self._deadline_seconds = deadline_seconds
        self._grace_seconds = grace_seconds
        self._end = end
        self._stopping = stopping
        self._cause: StoppedError | None = None
        self._raised = False
        self._open = False
        self._closed = False
        self._closing = threading.Lock()
        self._hard = 0.0
        self.last_resort = LastResort()

    def __enter__(self) -> Self:
        self._main = threading.get_ident()
        self._previous = [signal.signal(number, self._signalled) for number in _NUMBERS]
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        # A thread learns of SIGTERM from this pipe while the main thread is deep in C, where no handler runs.
        self._previous_fd = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        forget_in_children(self, _NUMBERS)
        self._end_at(time.monotonic() + self._deadline_seconds + self._grace_seconds)
        self._watched = start_thread(self._watch, name="baselib-cron-stop") is not None
        signal.setitimer(signal.ITIMER_REAL, self._deadline_seconds)
        return self

    def __exit__(self, *_: object) -> None:
        with self._closing:
            self._closed = True
        remember_in_children(self)
        self._restore_signals()
        self.last_resort.close()
        # The thread closes the other end: a number that is used again must not be read from.
        os.close(self._writer)
        if not self._watched:
            os.close(self._reader)

    def after_fork(self) -> None:
        """In a forked child nothing of this counts: a SIGTERM to it is not one to the job."""
        if not self._closed:
            self._closed = True
            self._open = False
            self._restore_signals()
            os.close(self._reader)
            os.close(self._writer)

    def call(self, function: Callable[[], _T]) -> _T:
        """Call a function that may be stopped; everything else in the main thread is not.

        Raises:
            StoppedError: It was stopped, also where it let nobody know, or had been before it began.
        """
        self._open = True
        try:
            self.check()
            result = function()
        finally:
            self._open = False
        if self._raised and self._cause is not None:
            raise self._cause
        return result

    def check(self) -> None:
        """Go on, unless the run has been stopped.

        Raises:
            StoppedError: It has.
        """
        if self._cause is not None and not self._raised:
            self._raised = True
            raise self._cause

    def pause(self, seconds: float) -> None:
        """Wait, unless the run is stopped.

        Args:
            seconds: How long.

        Raises:
            StoppedError: It was.
        """
        until = time.monotonic() + seconds
        self.check()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _PAUSE_SECONDS))
            self.check()

    def stop(self, cause: StoppedError, grace_seconds: float | None = None) -> None:
        """Stop the run; for another thread than the main one.

        Args:
            cause: What is raised in the main thread.
            grace_seconds: How long it may take to clean up; as at the deadline when None.
        """
        with self._closing:
            if self._closed:
                return
            self._note(cause, grace_seconds)
            # A signal also ends what the main thread waits for in the kernel.
            signal.pthread_kill(self._main, signal.SIGALRM)

    def _note(self, cause: StoppedError, grace_seconds: float | None = None) -> None:
        if self._cause is None:
            self._cause = cause
            grace = self._grace_seconds if grace_seconds is None else min(grace_seconds, self._grace_seconds)
            self._stopping(grace)
            self._end_at(time.monotonic() + grace)
            # The thread has a nearer moment to wait for. A full pipe has woken it already.
            with contextlib.suppress(OSError):
                os.write(self._writer, b"\0")

    def _end_at(self, moment: float) -> None:
        self._hard = moment
        self.last_resort.set("stop", moment + _LAST_WORDS_SECONDS)

    def _signalled(self, number: int, _: FrameType | None) -> None:
        self._note(self._terminated() if number == signal.SIGTERM else self._too_long())
        if self._open:
            self.check()

    def _too_long(self) -> DeadlineExceededError:
        return DeadlineExceededError(f"the run took longer than {self._deadline_seconds:g} s")

    def _terminated(self) -> TerminatedError:
        return TerminatedError("the run was stopped by SIGTERM")

    def _watch(self) -> None:
        reader = self._reader
        while (left := self._hard - time.monotonic()) > 0:
            if not select.select([reader], [], [], min(left, _LONGEST_SELECT_SECONDS))[0]:
                continue
            heard = os.read(reader, 512)
            if not heard:
                break
            if signal.SIGTERM in heard:
                self._note(self._terminated())
        os.close(reader)
        with self._closing:
            if self._closed:
                return
        self._end(self._cause or self._too_long())

    def _restore_signals(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.set_wakeup_fd(self._previous_fd)
        for number, handler in zip(_NUMBERS, self._previous, strict=True):
            signal.signal(number, handler)

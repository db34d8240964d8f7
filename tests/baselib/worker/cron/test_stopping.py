"""Stopping what the main thread does: once, only where it may be, and the process is left as it was."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from baselib.worker.cron import stopping
from baselib.worker.cron.errors import (
    DeadlineExceededError,
    LockLostError,
    MemoryLimitError,
    StoppedError,
    TerminatedError,
)
from baselib.worker.cron.stopping import Stopper
from tests.baselib.processes import until

Make = Callable[..., Stopper]


@pytest.fixture
def ended() -> list[StoppedError]:
    return []


@pytest.fixture
def make(ended: list[StoppedError]) -> Iterator[Make]:
    def make(deadline: float = 60, grace: float = 60) -> Stopper:
        return Stopper(deadline, grace, ended.append, lambda _: None)

    before = [signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGTERM)]
    files = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()  # noqa: PTH112, PTH208
    yield make
    assert [signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGTERM)] == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    if files:
        until(lambda: set(os.listdir("/proc/self/fd")) == files, "no file is left open")  # noqa: PTH208


def _wait() -> None:
    until(lambda: None, "never")


def test_what_ends_in_time_gives_its_result(make: Make) -> None:
    with make() as stopper:
        assert stopper.call(lambda: 3) == 3


def test_another_thread_stops_the_main_one(make: Make) -> None:
    with make() as stopper:
        threading.Timer(0.05, stopper.stop, (LockLostError("gone"),)).start()
        with pytest.raises(LockLostError, match="gone"):
            stopper.call(_wait)


def test_the_first_reason_counts(make: Make) -> None:
    with make() as stopper:
        stopper.stop(MemoryLimitError("too much"))
        stopper.stop(LockLostError("gone"))
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(MemoryLimitError):
            stopper.call(lambda: pytest.fail("it was stopped before"))


def test_what_may_not_be_stopped_is_not(make: Make) -> None:
    with make() as stopper:
        os.kill(os.getpid(), signal.SIGTERM)
        assert time.monotonic() > 0
        with pytest.raises(TerminatedError):
            stopper.pause(60)


def test_it_is_raised_once(make: Make) -> None:
    with make() as stopper:

        def terminated() -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            _wait()

        with pytest.raises(TerminatedError):
            stopper.call(terminated)
        os.kill(os.getpid(), signal.SIGTERM)
        stopper.check()


def test_the_deadline_is_told_with_its_length(make: Make) -> None:
    with make(deadline=0.05) as stopper, pytest.raises(DeadlineExceededError, match=r"longer than 0.05 s"):
        stopper.call(_wait)


def test_a_loop_that_survives_exceptions_does_not_survive_this(make: Make) -> None:
    def survive() -> None:
        while True:
            try:
                _wait()
            except Exception:  # noqa: BLE001 - as jobs do for each item
                continue

    with make(deadline=0.05) as stopper, pytest.raises(DeadlineExceededError):
        stopper.call(survive)


def test_what_goes_on_after_its_grace_is_ended(make: Make, ended: list[StoppedError]) -> None:
    with make(deadline=0.05, grace=0.05) as stopper:

        def survive() -> None:
            try:
                _wait()
            except StoppedError:
                until(lambda: ended, "the end")

        with pytest.raises(DeadlineExceededError):
            stopper.call(survive)
    assert isinstance(ended[0], DeadlineExceededError)


def test_a_shorter_grace_may_be_asked_for(make: Make, ended: list[StoppedError]) -> None:
    with make() as stopper:
        stopper.stop(LockLostError("gone"), 0.05)
        until(lambda: ended, "the end")


def test_after_the_end_nobody_is_stopped(make: Make) -> None:
    stopper = make()
    with stopper:
        pass
    stopper.stop(LockLostError("late"))


def test_it_goes_without_a_thread(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "start_thread", lambda *_, **__: None)
    with make(deadline=0.05) as stopper, pytest.raises(DeadlineExceededError):
        stopper.call(_wait)

"""The announcer: in order, never in the caller's way, and past whatever a listener raises."""

import logging
import threading
from functools import partial

import pytest

from baselib.health.announcer import Announcer
from tests.baselib.processes import PATIENCE_SECONDS, until


def test_functions_are_called_in_order_and_not_by_the_caller() -> None:
    announcer, told = Announcer(), []
    for number in range(50):
        announcer.tell(lambda number=number: told.append((number, threading.current_thread().name)))  # type: ignore[misc]
    until(lambda: len(told) == 50, "all are told")
    assert told == [(number, "health-changes") for number in range(50)]


def test_one_that_blocks_holds_nobody_up_and_does_not_fill_the_memory() -> None:
    announcer, go_on, told = Announcer(), threading.Event(), list[int]()
    announcer.tell(lambda: go_on.wait(PATIENCE_SECONDS))
    until(lambda: not announcer._waiting, "it blocks")
    for number in range(1000):
        announcer.tell(partial(told.append, number))
    assert len(announcer._waiting) == 100
    go_on.set()
    until(lambda: len(told) == 100, "the latest are told")
    assert told == list(range(900, 1000))


@pytest.mark.parametrize("error", [OSError("away"), SystemExit(1), KeyboardInterrupt()])
def test_what_a_listener_raises_is_logged_and_the_next_is_told(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    announcer, told = Announcer(), list[int]()

    def fails() -> None:
        raise error

    with caplog.at_level(logging.WARNING, "baselib.health"):
        announcer.tell(fails)
        announcer.tell(partial(told.append, 1))
        until(lambda: told, "the next is told")
    assert [record.message for record in caplog.records] == ["a listener of health changes failed"]


def test_its_thread_ends_when_nothing_is_left() -> None:
    announcer, told = Announcer(), list[threading.Thread]()
    announcer.tell(lambda: told.append(threading.current_thread()))
    until(lambda: told and not told[0].is_alive(), "the thread ended")
    announcer.tell(lambda: told.append(threading.current_thread()))
    until(lambda: len(told) == 2, "another one tells")


def test_without_a_thread_nothing_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    announcer, told = Announcer(), list[int]()
    with monkeypatch.context() as patch:

        def refuse(_: object) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", refuse)
        announcer.tell(partial(told.append, 1))
    announcer.tell(partial(told.append, 2))
    until(lambda: told == [1, 2], "both are told")

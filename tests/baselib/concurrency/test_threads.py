"""An optional thread: there, or not, and never an error."""

import threading

import pytest

from baselib.concurrency import start_thread


def test_it_runs_with_its_arguments_as_a_daemon_of_that_name() -> None:
    seen: list[object] = []

    def work(first: str, second: int) -> None:
        seen.append((first, second, threading.current_thread().name))

    thread = start_thread(work, "a", 2, name="baselib-example")
    assert thread is not None
    assert thread.daemon
    thread.join(20)
    assert seen == [("a", 2, "baselib-example")]


def test_none_where_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert start_thread(print, name="baselib-example") is None

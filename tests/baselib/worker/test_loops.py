"""Work without a queue goes on until the worker stops, whatever it raises."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from baselib.telemetry import current_span
from baselib.worker import loops
from baselib.worker.loops import Loop
from tests.baselib.processes import PATIENCE_SECONDS, until

Turn = Callable[[threading.Event], object]


@contextlib.contextmanager
def _running(turn: Turn, every: float | None = 0.0, limit: float | None = 60.0) -> Iterator[Loop]:
    loop = Loop("tidy", turn, every, limit)
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()
        assert loop.join(time.monotonic() + PATIENCE_SECONDS)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(loops, "_LONGEST_PAUSE_SECONDS", 0.02)


def test_a_function_is_called_again_and_again_and_each_turn_is_counted(captured_metrics: list[str]) -> None:
    turns: list[float] = []
    with _running(lambda _: turns.append(time.monotonic()), every=0.05):
        until(lambda: len(turns) >= 4, "it is called")
    # From the beginning of one to that of the next; the clocks of a wait may differ a little.
    assert turns[3] - turns[0] >= 3 * 0.05 - 0.01
    lines = "\n".join(captured_metrics).splitlines()
    assert "test.turns:1|c|#loop:tidy,outcome:done" in lines


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_turn_raises_is_told_and_followed_by_the_next(
    error: BaseException, caplog: pytest.LogCaptureFixture, captured_metrics: list[str]
) -> None:
    failures = iter([error, error])
    turns: list[int] = []

    def turn(_: threading.Event) -> None:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        turns.append(1)

    with _running(turn):
        until(lambda: turns, "it goes on")
    told = [record for record in caplog.records if record.getMessage() == "a turn failed"]
    assert [record.__dict__["loop"] for record in told] == ["tidy", "tidy"]
    assert told[0].exc_info is not None
    lines = "\n".join(captured_metrics).splitlines()
    assert lines.count("test.turns:1|c|#loop:tidy,outcome:failed") == 2


def test_the_pause_after_a_failure_grows_and_begins_anew_after_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    outcomes = iter([False] * 10 + [True, False])

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            return super().wait(0.0)

    def turn(event: threading.Event) -> None:
        found = next(outcomes, None)
        if found is None:
            event.set()
        elif not found:
            raise ValueError("broken")

    loop = Loop("tidy", turn, 0.0, 60.0)
    monkeypatch.setattr(loop, "_stopping", Stopping())
    loop.start()
    assert loop.join(time.monotonic() + PATIENCE_SECONDS)
    for number, pause in enumerate(pauses[:10]):
        longest = min(60.0, 2.0**number)
        assert longest / 2 <= pause <= longest
    assert pauses[10] == 0.0
    assert 0.5 <= pauses[11] <= 1.0


def test_an_error_is_told_to_sentry_with_the_name_of_the_loop(
    captured_errors: list[dict[str, object]],
) -> None:
    def turn(_: threading.Event) -> None:
        raise ValueError("broken")

    with _running(turn, every=600.0):
        until(lambda: captured_errors, "it is told")
    assert captured_errors[0]["transaction"] == "tidy"


def test_a_turn_has_a_span_whose_budget_is_its_limit() -> None:
    found: list[float] = []

    def turn(_: threading.Event) -> None:
        span = current_span()
        assert span is not None
        found.append(span.remaining or 0.0)

    with _running(turn, limit=60.0):
        until(lambda: found, "it is called")
    assert 0 < found[0] <= 60


def test_a_turn_beyond_its_limit_is_not_alive() -> None:
    entered, released = threading.Event(), threading.Event()

    def turn(_: threading.Event) -> None:
        entered.set()
        assert released.wait(PATIENCE_SECONDS)

    with _running(turn, every=600.0, limit=0.05) as loop:
        assert entered.wait(PATIENCE_SECONDS)
        until(lambda: not loop.alive, "it is noticed")
        assert not loop.join(time.monotonic())
        released.set()
        until(lambda: loop.alive, "it has ended, and the loop waits")


def test_a_function_without_a_limit_is_alive_for_ever() -> None:
    with _running(lambda event: event.wait(), every=None, limit=None) as loop:
        until(lambda: loop._began is not None, "it runs")
        assert loop.alive


@pytest.mark.usefixtures("quick")
def test_a_function_that_has_to_go_on_is_called_again_when_it_returns(caplog: pytest.LogCaptureFixture) -> None:
    turns: list[int] = []
    with _running(lambda _: turns.append(1), every=None, limit=None):
        until(lambda: len(turns) >= 3, "it is called again")
    assert "a turn failed" in [record.getMessage() for record in caplog.records]


def test_it_learns_of_the_stop_and_may_return_then(caplog: pytest.LogCaptureFixture) -> None:
    with _running(lambda event: event.wait(), every=None, limit=None) as loop:
        until(lambda: loop._began is not None, "it runs")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_stop_ends_the_pause_between_two_turns() -> None:
    turns: list[int] = []
    with _running(lambda _: turns.append(1), every=600.0):
        until(lambda: turns, "it has been called")
    assert turns == [1]

"""States: how many runs it takes to change one, who is told, and when the next run is due."""

import logging
from collections.abc import Callable, Sequence

import pytest

from baselib.health import CheckResult, HealthCheck, StartUp
from baselib.health.announcer import Announcer
from baselib.health.state import CheckState, Listener, StartUpState
from tests.baselib.processes import until


class _Now(Announcer):
    """Tells at once."""

    def tell(self, function: Callable[[], object]) -> None:
        function()


def _state(failures: int = 2, successes: int = 2, listeners: Sequence[Listener] = ()) -> CheckState:
    check = HealthCheck("store", lambda: None, failures=failures, successes=successes)
    return CheckState(check, _Now(), list(listeners))


def _told(state: CheckState, runs: str) -> str:
    """The verdict after each run: `.` went well, `x` did not."""
    verdicts = ""
    for number, run in enumerate(runs):
        state.attempted("" if run == "." else "away", float(number), number + 0.5)
        assert state.result is not None
        verdicts += "." if state.result.healthy else "x"
    return verdicts


@pytest.mark.parametrize(
    ("failures", "successes", "runs", "verdicts"),
    [
        (2, 2, "..", ".."),
        # The first run decides by itself.
        (3, 3, "x", "x"),
        # What was never healthy is so after one success; what was, needs two.
        (2, 2, "xx.", "xx."),
        (2, 2, ".xx..", "..xx."),
        (2, 2, ".xx.x..", "..xxxx."),
        # One failure between successes changes nothing, however often.
        (2, 2, ".x.x.x.x", "........"),
        (3, 1, ".xxx.", "...x."),
        (3, 1, ".xx.xxx", "......x"),
        (1, 1, ".x.x", ".x.x"),
        (2, 2, ".xx..xx", "..xx..x"),
    ],
)
def test_a_verdict_changes_after_enough_runs_in_a_row(failures: int, successes: int, runs: str, verdicts: str) -> None:
    assert _told(_state(failures, successes), runs) == verdicts


def test_a_result_tells_of_the_last_run_and_since_when_it_is_so() -> None:
    state = _state()
    _told(state, "..x")
    assert state.result == CheckResult(True, 0.5, "away", 2.5, 0.5)
    assert state.last_error == "away"
    _told(state, "x")
    assert state.result == CheckResult(False, 0.5, "away", 0.5, 0.5)


def test_a_run_that_hangs_was_last_heard_of_when_it_began() -> None:
    state = _state()
    state.attempted("no answer", 1.0, 36.0, hangs=True)
    assert state.result == CheckResult(False, 35.0, "no answer", 1.0, 36.0)


def test_a_doubtful_check_is_looked_at_sooner() -> None:
    state = _state()
    pauses = [state.attempted(error, 0.0, 1.0) for error in ("", "away", "away", "", "")]
    assert pauses == [10.0, 3.0, 3.0, 3.0, 10.0]


def test_each_change_is_told_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    changes: list[bool] = []
    state = _state(listeners=[lambda check, result: changes.append(result.healthy)])
    with caplog.at_level(logging.INFO, "baselib.health"):
        _told(state, "...x.xxxx....")
    assert changes == [False, True]
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "health check failed"),
        ("INFO", "health check is well again"),
    ]
    assert caplog.records[0].check == "store"  # type: ignore[attr-defined]
    assert caplog.records[0].error == "away"  # type: ignore[attr-defined]


def test_a_first_failure_is_told_and_a_first_success_is_not() -> None:
    changes: list[bool] = []
    listeners = [lambda check, result: changes.append(result.healthy)]
    _told(_state(listeners=listeners), ".")
    assert changes == []
    _told(_state(listeners=listeners), "x")
    assert changes == [False]


def test_the_gauge_is_sent_with_every_run(captured_metrics: list[str]) -> None:
    _told(_state(), "..xx")
    until(lambda: len(captured_metrics) == 4, "four gauges are sent")
    assert [line.partition("|")[0] for line in captured_metrics] == [
        f"test.health.checks:{value}" for value in (1, 1, 1, 0)
    ]
    assert all("check:store" in line for line in captured_metrics)


def test_a_start_up_function_is_tried_again_ever_later_and_done_once(caplog: pytest.LogCaptureFixture) -> None:
    state = StartUpState(StartUp("warm", lambda: None, retry=4.0), _Now())
    with caplog.at_level(logging.INFO, "baselib.health"):
        pauses = [state.attempted("away", 0.0, 1.0) for _ in range(5)]
        assert (state.done, state.attempts, state.last_error) == (False, 5, "away")
        assert state.attempted("", 0.0, 2.0) is None
    assert pauses == [4.0, 8.0, 16.0, 30.0, 30.0]
    assert state.done
    # A cause that stays the same is said once.
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "start-up function failed, trying again"),
        ("INFO", "start-up function done"),
    ]

"""Checks: side by side, each with its deadline, cached against storms, and never in each other's way."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from baselib.contract import ConfigurationError
from baselib.health import CheckResult, HealthCheck, HealthChecks

SECONDS = 20.0


def _checks(*checks: HealthCheck) -> HealthChecks:
    made = HealthChecks()
    for check in checks:
        made.add(check)
    return made


def _in_time(checks: HealthChecks) -> dict[str, CheckResult]:
    """The results, or a failed test where they never come."""
    found: list[dict[str, CheckResult]] = []
    caller = threading.Thread(target=lambda: found.append(checks.results()), daemon=True)
    caller.start()
    caller.join(SECONDS / 4)
    assert found, "the endpoint hangs"
    return found[0]


def _eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def hung() -> Iterator[threading.Event]:
    """What a hung check waits for; it is let go at the end."""
    event = threading.Event()
    yield event
    event.set()


def _fails() -> NoReturn:
    raise OSError("refused")


def test_a_check_that_returns_is_healthy_and_one_that_raises_is_not() -> None:
    results = _checks(HealthCheck("good", lambda: None), HealthCheck("bad", _fails)).results()
    assert (results["good"].healthy, results["good"].error) == (True, "")
    assert (results["bad"].healthy, results["bad"].error) == (False, "OSError: refused")
    assert list(results) == ["good", "bad"]


def test_checks_run_side_by_side() -> None:
    # Each waits until all are there: one after the other they would wait for ever.
    together = threading.Barrier(4, timeout=SECONDS)
    results = _checks(*(HealthCheck(f"{n}", together.wait, timeout=SECONDS) for n in range(4))).results()
    assert all(result.healthy for result in results.values())


def test_a_hung_check_is_a_failed_one_and_keeps_nobody_waiting(hung: threading.Event) -> None:
    checks = _checks(HealthCheck("hung", lambda: hung.wait(SECONDS), timeout=0.05), HealthCheck("good", lambda: None))
    for _ in range(3):
        results = _in_time(checks)
        assert (results["hung"].healthy, results["good"].healthy) == (False, True)
        assert results["hung"].error == "no answer within 0.05 s"
    assert checks.last_error("hung") == "no answer within 0.05 s"


def test_a_hung_check_is_not_started_again_while_it_hangs(hung: threading.Event) -> None:
    runs = []

    def run() -> None:
        runs.append(1)
        hung.wait(SECONDS)

    checks = _checks(HealthCheck("hung", run, timeout=0.02))
    for _ in range(5):
        _in_time(checks)
    assert len(runs) == 1


def test_a_result_that_grows_old_while_another_check_hangs_is_still_an_answer(hung: threading.Event) -> None:
    checks = _checks(
        HealthCheck("hung", lambda: hung.wait(SECONDS), timeout=0.4), HealthCheck("quick", lambda: None, cached=0.1)
    )
    results = _in_time(checks)
    assert (results["hung"].healthy, results["quick"].healthy) == (False, True)


@pytest.mark.parametrize("cached", [0.0, 0.001])
def test_a_check_that_is_hardly_cached_answers(cached: float) -> None:
    runs: list[int] = []
    checks = _checks(HealthCheck("fresh", lambda: runs.append(1), cached=cached))
    assert _in_time(checks)["fresh"].healthy
    time.sleep(0.002)
    assert _in_time(checks)["fresh"].healthy
    assert len(runs) == 2


def test_fifty_callers_at_once_cause_one_run() -> None:
    runs, together = [], threading.Barrier(50, timeout=SECONDS)
    go_on = threading.Event()

    def run() -> None:
        runs.append(1)
        go_on.wait(SECONDS)

    checks = _checks(HealthCheck("slow", run, timeout=SECONDS, cached=SECONDS * 10))
    found: list[bool] = []

    def call() -> None:
        together.wait()
        found.append(checks.results()["slow"].healthy)

    callers = [threading.Thread(target=call) for _ in range(50)]
    for caller in callers:
        caller.start()
    assert _eventually(lambda: bool(runs))
    go_on.set()
    for caller in callers:
        caller.join(SECONDS)
    assert found == [True] * 50
    assert len(runs) == 1


def test_a_result_is_given_again_until_it_is_old() -> None:
    runs: list[int] = []
    checks = _checks(HealthCheck("cached", lambda: runs.append(1), cached=SECONDS * 10))
    first, second = checks.results()["cached"], checks.results()["cached"]
    assert first is second
    assert len(runs) == 1


def test_an_old_result_is_looked_for_again_and_a_failure_is_recovered_from() -> None:
    broken = [True]

    def run() -> None:
        if broken[0]:
            _fails()

    checks = _checks(HealthCheck("store", run, cached=0.05))
    assert not _in_time(checks)["store"].healthy
    broken[0] = False
    assert _eventually(lambda: checks.results()["store"].healthy)
    # What went wrong last is still told, for whoever looks a little late.
    assert checks.last_error("store") == "OSError: refused"


def test_a_check_recovers_after_it_hung(hung: threading.Event) -> None:
    checks = _checks(HealthCheck("store", lambda: hung.wait(SECONDS), timeout=0.05, cached=0.2))
    assert not _in_time(checks)["store"].healthy
    hung.set()
    assert _eventually(lambda: checks.results()["store"].healthy)


class _WithoutTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "error", [SystemExit(1), ConfigurationError(["wrong"]), KeyboardInterrupt(), _WithoutTextError()]
)
def test_whatever_a_check_raises_is_its_answer_and_not_its_end(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    broken = [True]

    def run() -> None:
        if broken[0]:
            raise error

    checks = _checks(HealthCheck("store", run, timeout=0.5, cached=0.05))
    first = _in_time(checks)["store"]
    assert not first.healthy
    assert type(error).__name__ in first.error
    broken[0] = False
    deadline = time.monotonic() + 2
    while not (recovered := checks.results()["store"].healthy) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert recovered


def test_only_checks_required_for_traffic_are_asked_when_only_they_are_wanted() -> None:
    ran: list[str] = []
    checks = _checks(
        HealthCheck("required", lambda: ran.append("required"), required_for_traffic=True),
        HealthCheck("other", lambda: ran.append("other")),
    )
    assert list(checks.results(required_for_traffic=True)) == ["required"]
    assert ran == ["required"]


def test_two_checks_may_not_have_one_name() -> None:
    checks = _checks(HealthCheck("store", lambda: None))
    with pytest.raises(ValueError, match="there is already a health check named 'store'"):
        checks.add(HealthCheck("store", lambda: None))
    assert [check.name for check in checks.checks()] == ["store"]


def test_no_checks_have_no_results() -> None:
    assert HealthChecks().results() == {}

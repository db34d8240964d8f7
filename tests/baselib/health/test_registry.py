"""The checks of a process: side by side, on their schedule, and in nobody's way, however they hang or are asked."""

import gc
import itertools
import os
import signal
import threading
import time
import warnings
import weakref
from collections.abc import Iterator
from typing import NoReturn

import pytest

from baselib.contract import ConfigurationError
from baselib.health import CheckResult, HealthCheck, HealthChecks, StartUp, scheduler
from tests.baselib.processes import PATIENCE_SECONDS, until


def _checks(*declared: HealthCheck | StartUp) -> HealthChecks:
    made = HealthChecks()
    for each in declared:
        made.add_start_up(each) if isinstance(each, StartUp) else made.add(each)
    return made


def _in_time(checks: HealthChecks) -> dict[str, CheckResult]:
    """The results, or a failed test where they never come."""
    found: list[dict[str, CheckResult]] = []
    caller = threading.Thread(target=lambda: found.append(checks.results()), daemon=True)
    caller.start()
    caller.join(PATIENCE_SECONDS / 3)
    assert found, "the endpoint hangs"
    return found[0]


@pytest.fixture
def hung() -> Iterator[threading.Event]:
    """What a hung check waits for; it is let go at the end."""
    event = threading.Event()
    yield event
    event.set()


def _fails() -> NoReturn:
    raise OSError("refused")


def _threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_a_check_that_returns_is_healthy_and_one_that_raises_is_not() -> None:
    results = _checks(HealthCheck("good", lambda: None), HealthCheck("bad", _fails)).results()
    assert (results["good"].healthy, results["good"].error) == (True, "")
    assert (results["bad"].healthy, results["bad"].error) == (False, "OSError: refused")
    assert list(results) == ["good", "bad"]


@pytest.mark.parametrize(("returned", "healthy"), [(False, False), (None, True), (0, True), ("", True), (True, True)])
def test_false_is_a_failure_because_a_clients_ping_says_it(returned: object, healthy: bool) -> None:
    result = _checks(HealthCheck("ping", lambda: returned)).results()["ping"]
    assert result.healthy == healthy
    assert result.error == ("" if healthy else "returned False")


def test_checks_run_side_by_side() -> None:
    # Each waits until all are there: one after the other they would wait for ever.
    together = threading.Barrier(4, timeout=PATIENCE_SECONDS)
    results = _checks(*(HealthCheck(f"{n}", together.wait, timeout=PATIENCE_SECONDS) for n in range(4))).results()
    assert all(result.healthy for result in results.values())


def test_a_hung_check_is_a_failed_one_and_keeps_nobody_waiting(hung: threading.Event) -> None:
    runs: list[int] = []

    def hang() -> None:
        runs.append(1)
        hung.wait(PATIENCE_SECONDS)

    others: list[int] = []
    checks = _checks(
        HealthCheck("hung", hang, timeout=0.05, interval=0.05, required_for_traffic=True),
        HealthCheck("other", lambda: others.append(1), interval=0.01),
    )
    results = _in_time(checks)
    assert (results["hung"].healthy, results["other"].healthy) == (False, True)
    assert results["hung"].error == "no answer within 0.05 s"
    assert checks.last_error("hung") == "no answer within 0.05 s"
    # The others go on, and the age of the one that hangs grows.
    before = len(others)
    until(lambda: len(others) > before + 3, "the other check goes on")
    until(lambda: "running for" in checks.results()["hung"].error, "the age is told")
    result = checks.results()["hung"]
    assert result.finished < result.since
    assert checks.not_ready() == "failed: hung"
    # One thread hangs, however often it was looked for.
    assert len(runs) == len(_threads("health-hung")) == 1


def test_a_check_that_begins_to_hang_later_fails_although_it_never_ends(hung: threading.Event) -> None:
    block = threading.Event()

    def run() -> None:
        if block.is_set():
            hung.wait(PATIENCE_SECONDS)

    checks = _checks(HealthCheck("store", run, timeout=0.05, interval=0.05, failures=3))
    assert _in_time(checks)["store"].healthy
    block.set()
    until(lambda: not checks.results()["store"].healthy, "the hung check has failed")
    hung.set()
    until(lambda: checks.results()["store"].healthy, "it is well again")


def test_an_answer_that_comes_too_late_does_not_count(hung: threading.Event) -> None:
    runs: list[int] = []

    def run() -> None:
        runs.append(1)
        if len(runs) == 1:
            hung.wait(PATIENCE_SECONDS)

    checks = _checks(HealthCheck("slow", run, timeout=0.05, interval=PATIENCE_SECONDS))
    assert not _in_time(checks)["slow"].healthy
    until(lambda: checks.last_error("slow"), "it has been given up")
    hung.set()
    until(lambda: not _threads("health-slow"), "the late run has ended")
    assert checks.results()["slow"].error.startswith("no answer within 0.05 s")


def test_any_number_of_callers_cause_one_run_an_interval(hung: threading.Event) -> None:
    runs, together = [], threading.Barrier(200, timeout=PATIENCE_SECONDS)

    def run() -> None:
        runs.append(1)
        hung.wait(PATIENCE_SECONDS)

    checks = _checks(HealthCheck("slow", run, timeout=PATIENCE_SECONDS, interval=1000.0, required_for_traffic=True))
    found: list[tuple[bool, str]] = []

    def call() -> None:
        together.wait()
        found.append((checks.results()["slow"].healthy, checks.not_ready()))

    callers = [threading.Thread(target=call) for _ in range(200)]
    for caller in callers:
        caller.start()
    until(lambda: runs, "the check runs")
    hung.set()
    for caller in callers:
        caller.join(PATIENCE_SECONDS)
    assert found == [(True, "")] * 200
    assert len(runs) == 1
    assert checks.results()["slow"] is checks.results()["slow"]


def test_runs_follow_the_schedule_and_not_the_callers() -> None:
    runs: list[float] = []
    checks = _checks(HealthCheck("often", lambda: runs.append(time.monotonic()), interval=0.05))
    checks.start()
    until(lambda: len(runs) >= 5, "it runs without being asked")
    pauses = [later - earlier for earlier, later in itertools.pairwise(runs)]
    assert min(pauses) >= 0.04
    # No two alike: the checks of a fleet that was started together drift apart.
    assert len({round(pause, 5) for pause in pauses}) > 1


def test_the_pause_differs_by_a_fifth_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return low

    monkeypatch.setattr(scheduler._random, "uniform", uniform)
    _checks(HealthCheck("store", lambda: None)).results()
    assert bounds == [(0.8, 1.2)]


def test_a_failure_is_recovered_from_and_still_told() -> None:
    broken = [True]

    def run() -> None:
        if broken[0]:
            _fails()

    checks = _checks(HealthCheck("store", run, interval=0.02))
    assert not _in_time(checks)["store"].healthy
    broken[0] = False
    until(lambda: checks.results()["store"].healthy, "it is well again")
    # For whoever looks a little late.
    assert checks.last_error("store") == "OSError: refused"


class _WithoutTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "error", [SystemExit(1), ConfigurationError(["wrong"]), KeyboardInterrupt(), GeneratorExit(), _WithoutTextError()]
)
def test_whatever_a_check_raises_is_its_answer_and_not_its_end(error: BaseException) -> None:
    broken = [True]

    def run() -> None:
        if broken[0]:
            raise error

    checks = _checks(HealthCheck("store", run, interval=0.02))
    first = _in_time(checks)["store"]
    assert not first.healthy
    assert type(error).__name__ in first.error
    broken[0] = False
    until(lambda: checks.results()["store"].healthy, "it recovers")


def test_a_check_may_start_threads_of_its_own(hung: threading.Event) -> None:
    def run() -> None:
        threading.Thread(target=lambda: hung.wait(PATIENCE_SECONDS), daemon=True).start()

    assert _in_time(_checks(HealthCheck("forks", run)))["forks"].healthy


def test_only_checks_required_for_traffic_are_told_and_awaited_when_only_they_are_wanted(hung: threading.Event) -> None:
    checks = _checks(
        HealthCheck("required", lambda: None, required_for_traffic=True),
        HealthCheck("other", lambda: hung.wait(PATIENCE_SECONDS), timeout=1000.0),
    )
    assert list(checks.results(required_for_traffic=True)) == ["required"]
    assert checks.not_ready() == ""


def test_two_may_not_have_one_name() -> None:
    checks = _checks(HealthCheck("store", lambda: None), StartUp("store", lambda: None))
    with pytest.raises(ValueError, match="there is already a health check named 'store'"):
        checks.add(HealthCheck("store", lambda: None))
    with pytest.raises(ValueError, match="there is already a start-up function named 'store'"):
        checks.add_start_up(StartUp("store", lambda: None))
    assert [check.name for check in checks.checks()] == ["store"]


def test_where_there_is_nothing_to_check_no_thread_is_started() -> None:
    checks = HealthChecks()
    assert (checks.results(), checks.not_ready(), checks.start_ups()) == ({}, "", {})
    assert checks._scheduler._thread is None


def test_nothing_runs_before_somebody_asks_or_starts_it() -> None:
    ran = threading.Event()
    checks = _checks(HealthCheck("store", ran.set))
    checks.checks()
    assert checks._scheduler._thread is None
    assert not ran.is_set()
    checks.start()
    assert ran.wait(PATIENCE_SECONDS)


def test_what_is_added_late_runs_too() -> None:
    checks = _checks(HealthCheck("first", lambda: None))
    checks.results()
    checks.add(HealthCheck("second", lambda: None))
    assert _in_time(checks)["second"].healthy


def test_without_waiting_the_answer_is_that_it_starts(hung: threading.Event) -> None:
    checks = _checks(
        HealthCheck("licence", lambda: hung.wait(PATIENCE_SECONDS), timeout=1000.0, required_for_traffic=True)
    )
    assert checks.not_ready(wait=False) == "starting: licence"
    hung.set()
    until(lambda: checks.not_ready(wait=False) == "", "it is ready")


def test_a_start_up_function_is_tried_until_it_has_succeeded_once() -> None:
    runs: list[int] = []

    def warm() -> None:
        runs.append(1)
        if len(runs) < 3:
            _fails()

    checks = _checks(StartUp("warm", warm, retry=0.02), StartUp("migrate", lambda: None))
    assert checks.not_ready() == "starting: warm"
    until(lambda: not checks.not_ready(), "it is ready")
    assert len(runs) == 3
    assert checks.start_ups()["warm"].last_error == "OSError: refused"
    # Due never again.
    assert checks.not_ready() == ""
    assert checks._scheduler.tick() == 3600.0


def test_a_start_up_function_may_take_its_time_but_nobody_waits_for_it(
    hung: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baselib.health.registry._START_UP_PATIENCE_SECONDS", 0.05)
    checks = _checks(
        StartUp("warm", lambda: hung.wait(PATIENCE_SECONDS)), HealthCheck("a", lambda: None, required_for_traffic=True)
    )
    assert checks.not_ready() == "starting: warm"
    hung.set()
    until(lambda: checks.not_ready() == "", "it is ready")


def test_listeners_are_told_of_changes_and_cannot_stop_anything() -> None:
    broken, told, block = [False], list[tuple[str, bool]](), threading.Event()
    checks = _checks(HealthCheck("store", lambda: _fails() if broken[0] else None, interval=0.01))

    @checks.on_change
    def wrong(check: HealthCheck, result: CheckResult) -> NoReturn:
        raise SystemExit(1)

    @checks.on_change
    def listen(check: HealthCheck, result: CheckResult) -> None:
        told.append((check.name, result.healthy))
        if result.healthy:
            block.wait(PATIENCE_SECONDS)

    assert _in_time(checks)["store"].healthy
    broken[0] = True
    until(lambda: told == [("store", False)], "the failure is told")
    broken[0] = False
    until(lambda: told == [("store", False), ("store", True)], "the recovery is told")
    # The listener now hangs, and the check goes on.
    broken[0] = True
    until(lambda: not checks.results()["store"].healthy, "the check goes on")
    block.set()


def test_where_no_thread_can_be_started_the_check_has_failed_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "health-store":
            raise RuntimeError("can't start new thread")
        start(thread)

    checks = _checks(HealthCheck("store", lambda: None, interval=0.02))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert _in_time(checks)["store"].error == "RuntimeError: can't start new thread"
    until(lambda: checks.results()["store"].healthy, "it is tried again")


def test_without_a_scheduler_thread_the_answer_is_a_failure_and_the_next_caller_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    checks = _checks(HealthCheck("store", lambda: None, timeout=0.05, required_for_traffic=True))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert checks.results()["store"].error == "no answer within 0.05 s"
        assert checks.not_ready() == "starting: store"
    assert _in_time(checks)["store"].healthy
    assert checks.not_ready() == ""


def test_a_reset_forgets_and_begins_again_when_asked(hung: threading.Event) -> None:
    runs: list[int] = []
    checks = _checks(
        HealthCheck("store", lambda: runs.append(1), interval=1000.0),
        HealthCheck("hung", hung.wait, timeout=0.02, interval=1000.0),
        StartUp("warm", lambda: None),
    )
    checks.results()
    until(lambda: checks.start_ups()["warm"].done, "it has started up")
    thread = checks._scheduler._thread
    assert thread is not None
    checks.reset()
    # Although the run that hangs belongs to it still.
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert len(runs) == 1
    assert _in_time(checks)["store"].healthy
    assert len(runs) == 2


def test_the_thread_ends_with_those_who_hold_the_checks() -> None:
    checks = _checks(HealthCheck("store", lambda: None, interval=0.05))
    checks.results()
    thread, gone = checks._scheduler._thread, weakref.ref(checks)
    assert thread is not None
    until(lambda: not _threads("health-store"), "the run has ended")
    del checks
    gc.collect()
    assert gone() is None
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_a_forked_child_checks_by_itself(hung: threading.Event) -> None:
    asked: list[int] = []

    def run() -> None:
        asked.append(os.getpid())
        if len(asked) == 1:
            hung.wait(PATIENCE_SECONDS)

    checks = _checks(
        HealthCheck("store", run, timeout=PATIENCE_SECONDS, required_for_traffic=True), StartUp("warm", lambda: None)
    )
    checks.start()
    until(lambda: asked, "the parent's check hangs")
    # The worst moment: another thread holds the lock, and nobody will ever release it in the child.
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with checks._scheduler._changed:
            held.set()
            let_go.wait(PATIENCE_SECONDS)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(PATIENCE_SECONDS)
    with warnings.catch_warnings():
        # Python 3.12 warns of every fork beside threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        ended = 1
        signal.alarm(int(PATIENCE_SECONDS / 2))
        try:
            good = checks.results()["store"].healthy and checks.not_ready() == ""
            ended = 0 if good and asked[1:] == [os.getpid()] else 2
        finally:
            os._exit(ended)
    let_go.set()
    holder.join()
    found: list[int] = []

    def has_ended() -> bool:
        process, code = os.waitpid(child, os.WNOHANG)
        found.append(code)
        return process == child

    until(has_ended, "the child ends")
    assert found[-1] == 0

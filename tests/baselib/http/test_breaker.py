"""The states of the circuit breaker, on a clock of the test's own."""

import threading

import pytest

from baselib.http.breaker import MINIMUM_CALLS, OPEN_SECONDS, PROBES, WINDOW_SECONDS, CircuitBreaker
from tests.baselib.processes import PATIENCE_SECONDS


class _Bench:
    def __init__(self) -> None:
        self.now = 0.0
        self.states: list[str] = []
        self.breaker = CircuitBreaker(lambda: self.now, self.states.append)

    @property
    def state(self) -> str:
        # A plain str, because the type checker believes that a state does not change between two lines.
        return self.breaker.state

    def attempts(self, number: int, *, failed: bool | None) -> None:
        for _ in range(number):
            self.breaker.record(self.breaker.enter(), failed=failed)

    def opened(self) -> "_Bench":
        self.attempts(MINIMUM_CALLS, failed=True)
        assert self.state == "open"
        return self


@pytest.fixture
def bench() -> _Bench:
    return _Bench()


def test_few_failures_do_not_open_it(bench: _Bench) -> None:
    bench.attempts(MINIMUM_CALLS - 1, failed=True)
    assert (bench.state, bench.breaker.lets_through) == ("closed", True)
    bench.attempts(1, failed=True)
    assert (bench.state, bench.breaker.lets_through) == ("open", False)
    assert bench.breaker.enter() is None
    assert bench.states == ["open"]


def test_half_of_the_attempts_open_it_and_fewer_do_not(bench: _Bench) -> None:
    bench.attempts(11, failed=False)
    bench.attempts(10, failed=True)
    assert bench.state == "closed"
    bench.attempts(1, failed=True)
    assert bench.state == "open"


def test_a_success_never_opens_it(bench: _Bench) -> None:
    bench.attempts(MINIMUM_CALLS - 1, failed=True)
    bench.attempts(5, failed=False)
    assert bench.state == "closed"


def test_what_is_older_than_the_window_is_forgotten(bench: _Bench) -> None:
    bench.attempts(MINIMUM_CALLS - 1, failed=True)
    bench.now = WINDOW_SECONDS
    bench.attempts(MINIMUM_CALLS - 1, failed=True)
    assert bench.state == "closed"
    # The window slides: nine of them are still in it.
    bench.now = WINDOW_SECONDS + 5
    bench.attempts(1, failed=True)
    assert bench.state == "open"
    assert len(bench.breaker._seconds) <= WINDOW_SECONDS


def test_what_tells_nothing_counts_for_nothing(bench: _Bench) -> None:
    bench.attempts(100, failed=None)
    bench.attempts(MINIMUM_CALLS, failed=True)
    assert bench.state == "open"


def test_a_few_probes_close_it_when_all_succeed(bench: _Bench) -> None:
    bench.opened().now = OPEN_SECONDS - 0.001
    assert bench.breaker.enter() is None
    bench.now = OPEN_SECONDS
    assert bench.breaker.lets_through
    tokens = [bench.breaker.enter() for _ in range(PROBES + 2)]
    assert [token is not None for token in tokens] == [True] * PROBES + [False] * 2
    assert not bench.breaker.lets_through
    for token in tokens[: PROBES - 1]:
        bench.breaker.record(token, failed=False)
    assert bench.state == "half-open"
    bench.breaker.record(tokens[PROBES - 1], failed=False)
    assert bench.states == ["open", "half-open", "closed"]
    bench.attempts(MINIMUM_CALLS - 1, failed=True)
    assert bench.state == "closed"


def test_a_probe_that_fails_opens_it_again_for_the_whole_time(bench: _Bench) -> None:
    bench.opened().now = OPEN_SECONDS
    bench.attempts(1, failed=True)
    assert bench.states == ["open", "half-open", "open"]
    bench.now = 2 * OPEN_SECONDS - 0.001
    assert bench.breaker.enter() is None
    bench.now = 2 * OPEN_SECONDS
    assert bench.breaker.enter() is not None


def test_a_probe_that_tells_nothing_makes_room_for_another(bench: _Bench) -> None:
    bench.opened().now = OPEN_SECONDS
    bench.attempts(10 * PROBES, failed=None)
    assert bench.breaker.lets_through
    bench.attempts(PROBES, failed=False)
    assert bench.state == "closed"


def test_an_attempt_from_before_the_outage_is_no_probe(bench: _Bench) -> None:
    early = [bench.breaker.enter() for _ in range(PROBES)]
    bench.opened().now = OPEN_SECONDS
    token = bench.breaker.enter()
    for each in early:
        bench.breaker.record(each, failed=False)
    assert bench.state == "half-open"
    bench.breaker.record(token, failed=True)
    bench.breaker.record(token, failed=False)
    assert bench.state == "open"


def test_it_begins_anew_after_a_fork(bench: _Bench) -> None:
    bench.opened()
    bench.breaker._lock.acquire()
    bench.breaker.after_fork()
    assert bench.breaker.enter() is not None


def test_threads_get_no_more_probes_than_there_are(bench: _Bench) -> None:
    bench.opened().now = OPEN_SECONDS
    barrier, tokens = threading.Barrier(8), []

    def enter() -> None:
        barrier.wait(PATIENCE_SECONDS)
        tokens.append(bench.breaker.enter())

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert sum(token is not None for token in tokens) == PROBES

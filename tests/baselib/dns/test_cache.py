"""How old an answer may be, who waits for a fresh one, and what is given when none comes."""

import socket
import threading
from typing import Any

import pytest

from baselib.dns import cache as module
from baselib.dns.answers import FAILURE_SECONDS, FRESH_SECONDS, REFRESH_SECONDS, STALE_SECONDS
from tests.baselib.dns.conftest import Bench
from tests.baselib.processes import PATIENCE_SECONDS, until

SILENT = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    # A resolver that answers at all is far faster, and one that hangs is not worth the wait here.
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)


def test_an_answer_is_given_again_for_a_while_and_is_the_callers_own(bench: Bench) -> None:
    first = bench.cache.getaddrinfo("db.internal", 5432)
    expected = list(first)
    first.clear()
    bench.now += REFRESH_SECONDS - 0.01
    assert bench.cache.getaddrinfo("db.internal", 5432) == expected
    assert len(bench.resolver.asked) == 1


def test_every_argument_is_part_of_the_question(bench: Bench) -> None:
    calls: list[dict[str, Any]] = [
        {},
        {"family": socket.AF_INET},
        {"type": socket.SOCK_STREAM},
        {"proto": socket.IPPROTO_TCP},
        {"flags": socket.AI_PASSIVE},
        {"flags": socket.AI_CANONNAME},
    ]
    for _ in range(2):
        for arguments in calls:
            bench.cache.getaddrinfo("db.internal", 80, **arguments)
            bench.cache.getaddrinfo("db.internal", 443, **arguments)
            bench.cache.getaddrinfo(b"db.internal", "http", **arguments)
    assert len(bench.resolver.asked) == len(set(bench.resolver.asked)) == 3 * len(calls)


@pytest.mark.parametrize(
    ("host", "arguments"),
    [
        (None, {}),
        ("", {}),
        (b"", {}),
        ("127.0.0.1", {}),
        ("127.1", {}),
        ("0x7f.1", {}),
        (b"10.0.0.1", {}),
        ("::1", {}),
        ("fe80::1%lo", {}),
        ("db.internal", {"flags": socket.AI_NUMERICHOST}),
        ("db.internal", {"family": socket.AF_UNIX}),
        (bytearray(b"db.internal"), {}),
        ("db\x00internal", {}),
        (5, {}),
    ],
)
def test_what_asks_no_resolver_is_passed_through(bench: Bench, host: Any, arguments: dict[str, int]) -> None:
    for _ in range(2):
        bench.cache.getaddrinfo(host, 80, **arguments)
    assert len(bench.resolver.asked) == 2
    assert bench.cache._answers == {}


@pytest.mark.parametrize("host", ["redis1", "1.db.internal", "256.256.256.256", "db", "DB.internal.", "münchen.de"])
def test_what_looks_like_an_address_and_is_a_name_is_kept(bench: Bench, host: str) -> None:
    for _ in range(2):
        bench.ask(host)
    assert len(bench.resolver.asked) == 1


def test_a_name_in_use_is_refreshed_before_anybody_has_to_wait(bench: Bench) -> None:
    assert bench.ask() == "192.0.2.1"
    bench.resolver.address = "192.0.2.2"
    bench.resolver.go_on.clear()
    bench.now += REFRESH_SECONDS
    # The look-up hangs, and nobody notices.
    assert [bench.ask() for _ in range(10)] == ["192.0.2.1"] * 10
    bench.resolver.go_on.set()
    until(bench.settled, "the look-up ends")
    assert bench.ask() == "192.0.2.2"
    assert len(bench.resolver.asked) == 2


def test_a_changed_answer_is_followed_as_soon_as_the_old_one_is_five_seconds_old(bench: Bench) -> None:
    bench.ask()
    bench.resolver.address = "192.0.2.2"
    bench.now += FRESH_SECONDS
    assert bench.ask() == "192.0.2.2"
    bench.resolver.address = "192.0.2.3"
    bench.now += 100.0
    assert bench.ask() == "192.0.2.3"


def test_the_age_counts_from_the_question_and_not_from_the_answer(bench: Bench) -> None:
    def slow(*key: Any) -> list[Any]:
        bench.now += 3.0
        return bench.resolver(*key)

    bench.cache._resolver = slow
    bench.ask()
    bench.resolver.address = "192.0.2.2"
    bench.now += FRESH_SECONDS - 3.0
    assert bench.ask() == "192.0.2.2"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long the test's own thread was ready to wait, each time."""
    kept: list[float] = []
    real = threading.Event.wait

    def wait(event: threading.Event, timeout: float | None = None) -> bool:
        # Starting a thread waits too, without a time.
        if threading.current_thread() is threading.main_thread() and timeout is not None:
            kept.append(timeout)
        return real(event, timeout)

    monkeypatch.setattr(threading.Event, "wait", wait)
    return kept


def test_a_silent_resolver_costs_a_known_name_one_short_wait(bench: Bench, waits: list[float]) -> None:
    bench.ask()
    bench.resolver.go_on.clear()
    bench.now += FRESH_SECONDS
    assert bench.ask() == "192.0.2.1"
    bench.now += 0.2
    assert [bench.ask() for _ in range(5)] == ["192.0.2.1"] * 5
    # The clock of the test stands still in the first wait.
    assert waits == [pytest.approx(0.1), *[0.0] * 5]
    assert len(bench.resolver.asked) == 2


def test_nobody_waits_for_a_resolver_that_failed_a_moment_ago(bench: Bench, waits: list[float]) -> None:
    bench.ask()
    bench.resolver.error = SILENT
    bench.now += FRESH_SECONDS
    bench.ask()
    waits.clear()
    bench.resolver.go_on.clear()
    bench.now += FAILURE_SECONDS
    assert bench.ask() == "192.0.2.1"
    assert waits == [0.0]


def test_a_resolver_that_fails_is_not_asked_by_every_call_and_is_followed_when_it_works_again(bench: Bench) -> None:
    bench.ask()
    bench.resolver.error = SILENT
    bench.now += FRESH_SECONDS
    assert [bench.ask() for _ in range(5)] == ["192.0.2.1"] * 5
    assert len(bench.resolver.asked) == 2
    bench.now += FAILURE_SECONDS
    assert bench.ask() == "192.0.2.1"
    until(bench.settled, "the second failure")
    assert len(bench.resolver.asked) == 3
    bench.resolver.error, bench.resolver.address = None, "192.0.2.2"
    bench.now += FRESH_SECONDS
    # Long after the last failure the fresh address is worth a short wait again.
    assert bench.ask() == "192.0.2.2"


@pytest.mark.parametrize(
    "error",
    [
        SILENT,
        socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure in name resolution"),
        OSError(24, "Too many open files"),
        TimeoutError("timed out"),
    ],
)
def test_the_last_address_is_given_for_five_minutes_and_then_the_failure(bench: Bench, error: OSError) -> None:
    bench.ask()
    bench.resolver.error = error
    bench.now += STALE_SECONDS - 1
    assert bench.ask() == "192.0.2.1"
    bench.now += 2
    with pytest.raises(type(error)) as raised:
        bench.ask()
    assert type(raised.value) is type(error)
    assert raised.value.args == error.args


def test_a_name_that_is_gone_is_gone(bench: Bench) -> None:
    bench.ask()
    bench.resolver.error = UNKNOWN
    bench.now += FRESH_SECONDS
    with pytest.raises(socket.gaierror):
        bench.ask()


@pytest.mark.parametrize("error", [UNKNOWN, SILENT])
def test_a_failure_is_given_again_for_a_second_and_is_the_same(bench: Bench, error: socket.gaierror) -> None:
    bench.resolver.error = error
    raised = []
    for _ in range(3):
        with pytest.raises(socket.gaierror) as one:
            bench.ask()
        raised.append(one.value)
    assert len(bench.resolver.asked) == 1
    assert all(type(each) is type(error) and each.args == error.args for each in raised)
    assert (raised[0].errno, raised[0].strerror) == (error.errno, error.strerror)
    # An exception that is raised again and again would hold every frame that it came through.
    assert len({id(each) for each in raised}) == 3
    bench.resolver.error = None
    bench.now += FAILURE_SECONDS
    assert bench.ask() == "192.0.2.1"


@pytest.mark.parametrize("error", [UnicodeError("label too long"), OverflowError("port"), TypeError("port")])
def test_a_wrong_argument_is_told_and_not_kept(bench: Bench, error: Exception) -> None:
    bench.resolver.error = error
    for _ in range(2):
        with pytest.raises(type(error), match=str(error)):
            bench.ask()
    assert len(bench.resolver.asked) == 2


def test_many_callers_of_a_new_name_ask_once(bench: Bench) -> None:
    bench.resolver.go_on.clear()
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(bench.ask())) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: bench.resolver.asked, "the first question")
    bench.resolver.go_on.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert found == ["192.0.2.1"] * 20
    assert len(bench.resolver.asked) == 1


def test_who_comes_just_after_a_look_up_has_ended_does_not_ask_again(bench: Bench) -> None:
    bench.ask()
    lookup = bench.cache._look_up(("db.internal", 5432, 0, 0, 0, 0), bench.now)
    assert lookup is not None
    assert lookup.answer is not None
    assert lookup.done.is_set()
    assert len(bench.resolver.asked) == 1


def test_who_gives_a_time_waits_no_longer_for_a_new_name(bench: Bench) -> None:
    bench.resolver.go_on.clear()
    key = ("db.internal", 5432, 0, 0, 0, 0)
    with pytest.raises(TimeoutError):
        bench.cache.resolve(key, 0.05)
    bench.resolver.go_on.set()
    until(bench.settled, "the look-up ends")
    assert bench.cache.resolve(key, 0.0)[0][4][0] == "192.0.2.1"
    assert len(bench.resolver.asked) == 1


def test_the_threads_are_bounded_and_a_name_that_gets_none_is_looked_up_by_its_caller(bench: Bench) -> None:
    for number in range(20):
        bench.ask(f"known-{number}")
    bench.resolver.go_on.clear()
    bench.now += REFRESH_SECONDS
    for number in range(20):
        bench.ask(f"known-{number}")
    assert len(bench.cache._lookups) == module._MAXIMUM_LOOKUPS
    bench.now += FRESH_SECONDS - REFRESH_SECONDS
    assert bench.ask("known-19") == "192.0.2.1"
    with pytest.raises(socket.gaierror, match="Temporary failure"):
        bench.cache.resolve(("new", 80, 0, 0, 0, 0), 0.05)
    found: list[str] = []
    caller = threading.Thread(target=lambda: found.append(bench.ask("new")))
    caller.start()
    until(lambda: bench.resolver.asked[-1][0] == "new", "the caller asks by itself")
    assert len(bench.cache._lookups) == module._MAXIMUM_LOOKUPS
    bench.resolver.go_on.set()
    caller.join(PATIENCE_SECONDS)
    assert found == ["192.0.2.1"]


def test_it_works_where_no_thread_can_be_started(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert bench.ask() == "192.0.2.1"
    bench.resolver.address = "192.0.2.2"
    bench.now += FRESH_SECONDS
    assert bench.ask() == "192.0.2.2"
    assert bench.settled()


def test_the_answers_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAXIMUM_ANSWERS", 3)
    for number in range(5):
        bench.ask(f"db-{number}")
    assert [key[0] for key in bench.cache._answers] == ["db-2", "db-3", "db-4"]


def test_it_is_counted_and_told(bench: Bench, captured_metrics: list[str]) -> None:
    bench.ask()
    for _ in range(5):
        bench.ask()
    bench.ask("db.internal", family=socket.AF_INET)
    for _ in range(3):
        bench.ask("db.internal", family=socket.AF_INET)
    bench.resolver.error = SILENT
    bench.now += FRESH_SECONDS
    bench.ask()
    with pytest.raises(socket.gaierror):
        bench.ask("new")
    until(bench.settled, "the look-ups end")
    bench.cache.tell()
    totals: dict[str, int] = {}
    for line in captured_metrics:
        name, _, rest = line.removeprefix("test.dns.").partition(":")
        value, _, tags = rest.partition("|c")
        key = f"{name}{tags}"
        totals[key] = totals.get(key, 0) + int(value)
    assert totals == {
        "lookups|#result:hit": 8,
        "lookups|#result:miss": 2,
        "lookups|#result:stale": 1,
        "lookups|#result:failed": 1,
        "packets_saved": 5 * 2 + 3,
    }


def test_a_child_of_a_fork_waits_for_no_thread_of_its_parent(bench: Bench) -> None:
    bench.ask()
    bench.resolver.go_on.clear()
    bench.now += REFRESH_SECONDS
    bench.ask()
    bench.cache._lock.acquire()
    bench.cache.after_fork()
    bench.resolver.go_on.set()
    bench.now += FRESH_SECONDS
    assert bench.ask() == "192.0.2.1"

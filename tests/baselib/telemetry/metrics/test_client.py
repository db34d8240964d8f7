"""The client: what its callers leave behind arrives, in whatever process, and nothing is ever the caller's trouble."""

import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from baselib.telemetry.metrics import MetricsClient, UdpTransport
from baselib.telemetry.metrics import client as module
from baselib.telemetry.metrics import sender as sender_module
from baselib.telemetry.metrics.events import Tagged
from baselib.telemetry.metrics.standard import METRICS_LOST
from baselib.testing import StatsdReceiver
from tests.baselib.processes import until
from tests.baselib.telemetry.metrics.meaning import meaning

SECONDS = 20.0


@pytest.fixture
def receiver() -> Iterator[StatsdReceiver]:
    """Somebody who listens."""
    with StatsdReceiver() as listening:
        yield listening


@pytest.fixture
def made() -> Iterator[Callable[..., MetricsClient]]:
    """Makes clients, and closes them in the end."""
    clients: list[MetricsClient] = []

    def make(port: int, host: str = "127.0.0.1", **options: Any) -> MetricsClient:
        clients.append(MetricsClient(UdpTransport(host, port), **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sending threads that wake up only when they are told to."""
    monkeypatch.setattr(sender_module, "_FLUSH_SECONDS", 3600.0)


Make = Callable[..., MetricsClient]


def test_metrics_arrive_by_themselves_added_up_under_prefix_and_tags(receiver: StatsdReceiver, made: Make) -> None:
    client = made(receiver.port, prefix="duolingo.api", tags={"environment": "prod"})
    for _ in range(100):
        client.incr("lessons")
    tags = (("route", "/"),)
    client.observe(Tagged("requests", tags), Tagged("requests.time", tags), 1.5)
    until(lambda: "duolingo.api.requests.time:1.500000|ms|#environment:prod,route:/" in receiver.lines, "the timer")
    found = meaning(receiver.lines)
    assert found.counters == {
        "duolingo.api.lessons|#environment:prod": 100,
        "duolingo.api.requests|#environment:prod,route:/": 1,
    }
    assert len(receiver.lines) < 20
    assert not client.lost


@pytest.mark.usefixtures("no_hurry")
def test_flush_sends_what_waits(receiver: StatsdReceiver, made: Make) -> None:
    client = made(receiver.port)
    client.flush()
    for number in range(3):
        client.incr("a", number + 1)
        client.flush(SECONDS)
        until(lambda count=number + 1: len(receiver.lines) == count, "its line")  # type: ignore[misc]
    assert receiver.lines == ["a:1|c", "a:2|c", "a:3|c"]


@pytest.mark.usefixtures("no_hurry")
def test_nothing_is_lost_under_many_threads(receiver: StatsdReceiver, made: Make) -> None:
    client = made(receiver.port)

    def send() -> None:
        for number in range(2_000):
            client.incr("ones")
            client.incr("tagged", tags={"number": str(number % 7)})
            client.incr("twos", 2)
            if number % 100 == 0:
                client.timing("times", float(number))
                client.flush(SECONDS)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    client.close()
    until(lambda: sum(map(len, meaning(receiver.lines).timings.values())) == 120, "all timings")
    until(lambda: sum(meaning(receiver.lines).counters.values()) == 48_000, "all counters")
    assert meaning(receiver.lines).counters["ones"] == 12_000
    assert not client.lost


@pytest.mark.usefixtures("no_hurry")
def test_a_pipeline_leaves_in_one_datagram_only_when_it_ends(receiver: StatsdReceiver, made: Make) -> None:
    client = made(receiver.port, prefix="p", tags={"environment": "prod"})
    with client.pipeline() as pipe:
        pipe.incr("a")
        with pipe.pipeline() as inner:
            inner.gauge("b", 1, tags={"x": "1"})
        client.flush(SECONDS)
        assert receiver.lines == []
    client.flush(SECONDS)
    until(lambda: len(receiver.lines) == 2, "both")
    assert receiver.lines == ["p.a:1|c|#environment:prod", "p.b:1|g|#environment:prod,x:1"]


def test_a_client_without_a_target_sends_nothing_forms_nothing_and_raises_nothing() -> None:
    client = MetricsClient()
    client.sample(lambda: pytest.fail("nobody listens"))
    for _ in range(10):
        client.incr("a")
        client.observe(Tagged("a", ()), Tagged("b", ()), 1.0)
    with client.pipeline() as pipe:
        pipe.incr("b")
    with client.timer("c"):
        pass
    client.flush()
    assert (client._ones, client._events, client.lost) == ([], [], {})


def test_a_client_can_be_switched_off_and_redirected(receiver: StatsdReceiver, made: Make) -> None:
    client = made(receiver.port, prefix="p", tags={"environment": "prod"}, dialect="statsd")
    client.incr("a")
    lines: list[str] = []
    with client.redirected(lines.append, prefix="test"):
        client.incr("b", tags={"x": "1"})
    client.incr("c")
    client.close()
    client.incr("d")
    until(lambda: len(receiver.lines) == 2, "both")
    assert receiver.lines == ["p.a.environment.prod:1|c", "p.c.environment.prod:1|c"]
    assert lines == ["test.b:1|c|#x:1"]


def test_a_closed_client_leaves_no_thread_and_no_socket(receiver: StatsdReceiver) -> None:
    before = set(threading.enumerate())
    transport = UdpTransport("127.0.0.1", receiver.port)
    client = MetricsClient(transport)
    client.incr("a")
    client.close()
    until(lambda: receiver.lines == ["a:1|c"], "the line")
    assert set(threading.enumerate()) <= before
    assert transport._socket is None


@pytest.mark.usefixtures("no_hurry")
def test_what_is_too_much_is_lost_counted_and_told(
    receiver: StatsdReceiver, made: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAXIMUM_WAITING", 20)
    monkeypatch.setattr(module, "_CROWDED", 10)
    client = made(receiver.port)
    with client._lock:
        # The sending thread is awake early, but finds nothing before the callers are through.
        drained, client._drained = client._drained, list  # type: ignore[method-assign]
        for number in range(30):
            client.timing("a", float(number))
    assert len(client._events) == 20
    assert client.lost == {"overflow": 10}
    client._drained = drained  # type: ignore[method-assign]
    client.flush(SECONDS)
    until(lambda: f"{METRICS_LOST.name}:10|c|#cause:overflow" in receiver.lines, "the loss")
    assert meaning(receiver.lines).timings["a"] == [float(number) for number in range(20)]
    client.flush(SECONDS)
    client.incr("last")
    client.flush(SECONDS)
    until(lambda: "last:1|c" in receiver.lines, "the last")
    assert sum(line.startswith(METRICS_LOST.name) for line in receiver.lines) == 1


@pytest.mark.usefixtures("no_hurry")
def test_a_crowd_wakes_the_thread(receiver: StatsdReceiver, made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CROWDED", 10)
    client = made(receiver.port)
    for _ in range(30):
        client.incr("a")
    until(lambda: sum(meaning(receiver.lines).counters.values()) >= 10, "what came before")


def test_a_loss_while_nobody_listens_is_told_when_somebody_does(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    # The address is kept by a socket that is closed and opened again.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    client = made(port)

    def lost() -> bool:
        client.incr("a")
        client.flush(SECONDS)
        return client.lost["unreachable"] >= 3

    until(lost, "lost lines")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", port))
        listener.settimeout(0.05)
        heard: list[str] = []

        def told() -> float:
            client.flush(SECONDS)
            try:
                heard.extend(listener.recv(65535).decode().split("\n"))
            except TimeoutError:
                return 0
            return meaning(heard).counters.get(f"{METRICS_LOST.name}|#cause:unreachable", 0)

        assert until(told, "the loss") >= 3


def _hang(answer: threading.Event) -> Callable[..., NoReturn]:
    def hang(*_: object, **__: object) -> NoReturn:
        answer.wait(SECONDS)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    return hang


def test_a_resolver_that_hangs_keeps_no_caller_and_no_flush_waiting(
    made: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", _hang(answer))
    monkeypatch.setattr(module, "_FLUSH_SECONDS", 0.01)
    client = made(8125, host="slow.invalid")
    for _ in range(1_000):
        client.incr("a")
    client.flush(0.01)
    client.close()
    assert not answer.is_set()
    assert client.lost == {"unreachable": 1_000}
    answer.set()


def test_a_resolver_that_fails_ends_a_flush_early(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    answer.set()
    monkeypatch.setattr(socket, "getaddrinfo", _hang(answer))
    client = made(8125, host="unknown.invalid")
    client.incr("a")
    began = time.monotonic()
    client.flush(300.0)
    assert time.monotonic() - began < 200


def test_a_process_that_ends_sends_what_waits_and_is_not_held_up(receiver: StatsdReceiver) -> None:
    script = """
        import socket, sys, threading, time
        from baselib.telemetry.metrics import MetricsClient, UdpTransport
        if sys.argv[1] == "0":
            socket.getaddrinfo = lambda *_, **__: time.sleep(3600)
        client = MetricsClient(UdpTransport("127.0.0.1", int(sys.argv[1])))
        client.incr("a")
    """
    for port in (receiver.port, 0):
        subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(port)], timeout=60, check=True)
    until(lambda: receiver.lines == ["a:1|c"], "the line")


def test_a_process_that_can_start_no_thread_goes_on(
    receiver: StatsdReceiver, made: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    client = made(receiver.port)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        client.incr("a")
        client.flush(SECONDS)
    client.incr("a")
    until(lambda: meaning(receiver.lines).counters == {"a": 2}, "both")


def test_a_thread_survives_whatever_happens_to_it(
    receiver: StatsdReceiver, made: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = made(receiver.port)
    failed = threading.Event()

    def fail(*_: object) -> NoReturn:
        failed.set()
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(UdpTransport, "send", fail)
        client.incr("a")
        assert failed.wait(SECONDS)
    client.incr("b")
    until(lambda: "b:1|c" in receiver.lines, "the next")


# Samples.


def test_samples_are_taken_by_the_sending_thread_again_and_again(receiver: StatsdReceiver, made: Make) -> None:
    client = made(receiver.port, sample_seconds=0.01)
    threads = set()

    def sample() -> None:
        threads.add(threading.current_thread().name)
        client.gauge("level", 7)

    end = client.sample(sample)
    until(lambda: receiver.lines.count("level:7|g") >= 3, "three samples")
    assert threads == {"baselib-metrics"}
    end()
    client.flush(SECONDS)
    before = len(receiver.lines)
    client.flush(SECONDS)
    client.incr("last")
    client.flush(SECONDS)
    until(lambda: receiver.lines[-1:] == ["last:1|c"], "the last")
    assert len(receiver.lines) <= before + 2


def test_a_sample_that_fails_is_said_once_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[str] = []
    client = MetricsClient(lines.append)

    def fail() -> NoReturn:
        raise ZeroDivisionError

    client.sample(fail)
    client.sample(lambda: client.gauge("level", 7))
    with caplog.at_level("DEBUG", logger=module.__name__):
        client.flush()
        client.flush()
    assert lines == ["level:7|g"] * 2
    assert len(caplog.records) == 1


# Forks. From Python 3.12 on a fork beside threads warns; that it works all the same is what is tested.

_FORKS = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _in_a_child(work: Callable[[], object]) -> None:
    child = os.fork()
    if child == 0:
        # A child that hangs must not outlive the test.
        signal.alarm(60)
        try:
            work()
        except BaseException:  # noqa: BLE001 - nothing of pytest may run in the child
            os._exit(1)
        os._exit(0)
    _, ended = os.waitpid(child, 0)
    assert ended == 0


@_FORKS
@pytest.mark.usefixtures("no_hurry")
def test_a_forked_child_sends_its_own_and_not_the_parents(receiver: StatsdReceiver, made: Make) -> None:
    client = made(receiver.port)
    client.incr("first")
    client.flush(SECONDS)
    until(lambda: receiver.lines == ["first:1|c"], "the first")
    client.incr("parent")
    client.timing("parent.time", 1.5)

    def work() -> None:
        client.flush(SECONDS)
        client.incr("child")
        client.flush(SECONDS)

    # Held across the fork, as by a thread that the child does not have.
    with client._lock:
        _in_a_child(work)
    until(lambda: len(receiver.lines) >= 2, "the child's")
    assert receiver.lines[1:] == ["child:1|c"]
    client.flush(SECONDS)
    until(lambda: receiver.lines[2:] == ["parent:1|c", "parent.time:1.500000|ms"], "the parent's")


@_FORKS
def test_a_client_configured_before_the_fork_works_behind_it(receiver: StatsdReceiver, made: Make) -> None:
    client = made(receiver.port, prefix="p")
    for number in range(2):

        def record(number: int = number) -> None:
            client.incr(f"child{number}")
            client.flush(SECONDS)

        _in_a_child(record)
    until(lambda: sorted(receiver.lines) == ["p.child0:1|c", "p.child1:1|c"], "both children's")


@_FORKS
def test_samples_of_each_process_are_taken_in_the_child_and_shared_ones_are_not(
    receiver: StatsdReceiver, made: Make
) -> None:
    client = made(receiver.port, sample_seconds=0.01)
    parent = os.getpid()

    def told(name: str) -> None:
        client.incr(name, tags={"process": "parent" if os.getpid() == parent else "child"})

    client.sample(lambda: told("shared"))
    end = client.sample(lambda: told("each"), after_fork=True)

    # Not one metric of its own, and the samples come all the same.
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        time.sleep(3600)
        os._exit(0)
    try:
        until(lambda: "each:1|c|#process:child" in receiver.lines, "the child's sample")
        until(lambda: "shared:1|c|#process:parent" in receiver.lines, "the parent's sample")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert not [line for line in receiver.lines if "shared" in line and "child" in line]

    def ended() -> None:
        end()
        client.flush(SECONDS)
        assert client._samplers == {}

    _in_a_child(ended)


def test_the_same_calls_at_once_and_buffered_mean_the_same(receiver: StatsdReceiver, made: Make) -> None:
    lines: list[str] = []
    calls = [
        (random.choice(["incr", "decr", "gauge", "timing", "histogram", "set"]), random.choice("abc"), number)
        for number in range(-50, 50)
    ]
    for client in (MetricsClient(lines.append), made(receiver.port)):
        for method, stat, number in calls:
            getattr(client, method)(stat + method, number, tags={"odd": str(number % 2)})
        client.close()
    until(lambda: meaning(receiver.lines) == meaning(lines), "the same meaning")

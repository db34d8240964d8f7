"""The calls of the `statsd` package: the same ones mean the same, at once and through the buffer."""

import asyncio
import random
import re
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import statsd
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.telemetry.metrics import MetricsClient, UdpTransport
from baselib.testing import StatsdReceiver
from tests.baselib.telemetry.metrics.meaning import meaning

Call = Callable[[Any], object]
_F = TypeVar("_F", bound=Callable[..., Any])


class _Socket:
    """Stands in for a UDP socket and keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def sendto(self, data: bytes, address: object) -> None:
        self.lines.extend(data.decode("ascii").split("\n"))


def _with_statsd(prefix: str | None, call: Call) -> list[str]:
    client = statsd.StatsClient("127.0.0.1", 8125, prefix=prefix)
    client.close()
    client._sock = sent = _Socket()
    call(client)
    return sent.lines


def _with_baselib(prefix: str | None, call: Call) -> list[str]:
    sent: list[str] = []
    call(MetricsClient(sent.append, prefix=prefix))
    return sent


def _buffered(prefix: str | None, call: Call) -> list[str]:
    with StatsdReceiver() as receiver:
        client = MetricsClient(UdpTransport("127.0.0.1", receiver.port), prefix=prefix)
        call(client)
        client.close()
    return receiver.lines


@pytest.fixture(autouse=True)
def _same_chance() -> Iterator[None]:
    before = random.getstate()
    yield
    random.setstate(before)


def _both(call: Call, prefix: str | None = "duolingo.api") -> tuple[list[str], list[str]]:
    random.seed(7)
    theirs = _with_statsd(prefix, call)
    random.seed(7)
    return theirs, _with_baselib(prefix, call)


def _pipeline(client: Any) -> None:
    with client.pipeline() as pipe:
        pipe.incr("a")
        pipe.gauge("b", -2)
        pipe.timing("c", 3)
    pipe = client.pipeline()
    pipe.incr("d")
    pipe.send()
    pipe.send()
    pipe.decr("e")
    pipe.send()


def _nested_pipeline(client: Any) -> None:
    with client.pipeline() as outer:
        outer.gauge("level", 1)
        with outer.pipeline() as inner:
            inner.gauge("level", 2)
        outer.incr("last")


def _empty_pipeline(client: Any) -> None:
    with client.pipeline():
        pass


def _pipeline_that_fails(client: Any) -> None:
    def fail() -> None:
        with client.pipeline() as pipe:
            pipe.incr("before")
            raise KeyError

    with pytest.raises(KeyError):
        fail()


def _sampled(client: Any) -> None:
    for number in range(40):
        client.incr(f"i{number}", rate=0.5)
        client.gauge(f"g{number}", -number, rate=0.5)
        client.set(f"s{number}", number, rate=0.25)
        client.timing(f"t{number}", number, rate=0.1)


CALLS: dict[str, Call] = {
    "incr": lambda client: client.incr("a"),
    "incr by": lambda client: client.incr("a", 5),
    "incr by a fraction": lambda client: client.incr("a", 0.5),
    "incr by nothing": lambda client: client.incr("a", 0),
    "incr at rate 1": lambda client: client.incr("a", 1, 1),
    "incr at rate 0": lambda client: client.incr("a", 1, rate=0),
    "decr": lambda client: client.decr("a"),
    "decr by": lambda client: client.decr("a", 3),
    "gauge": lambda client: client.gauge("a", 7),
    "gauge zero": lambda client: client.gauge("a", 0),
    "gauge fraction": lambda client: client.gauge("a", 0.25),
    "gauge large": lambda client: client.gauge("a", 10**20),
    "gauge negative": lambda client: client.gauge("a", -7),
    "gauge up": lambda client: client.gauge("a", 7, delta=True),
    "gauge down": lambda client: client.gauge("a", -7, delta=True),
    "gauge by nothing": lambda client: client.gauge("a", 0, delta=True),
    "gauge positional": lambda client: client.gauge("a", 7, 1, True),
    "set": lambda client: client.set("a", "user7"),
    "set again": lambda client: [client.set("a", "user7"), client.set("a", "user8"), client.set("a", "user7")],
    "gauge set, then changed": lambda client: [
        client.gauge("a", 7),
        client.gauge("a", -3, delta=True),
        client.gauge("a", 2, delta=True),
    ],
    "gauge below zero, then changed": lambda client: [client.gauge("a", -7), client.gauge("a", 3, delta=True)],
    "set number": lambda client: client.set("a", 7),
    "timing": lambda client: client.timing("a", 12),
    "timing fraction": lambda client: client.timing("a", 0.1234567),
    "timing timedelta": lambda client: client.timing("a", timedelta(seconds=1, microseconds=1500)),
    "pipeline": _pipeline,
    "nested pipeline": _nested_pipeline,
    "empty pipeline": _empty_pipeline,
    "pipeline that fails": _pipeline_that_fails,
    "sampled": _sampled,
    "unknown prefix": lambda client: client.incr("a.b-c_d"),
}


@pytest.mark.parametrize("prefix", [None, "duolingo.api"])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_means_the_same_as_by_the_statsd_package(call: str, prefix: str | None) -> None:
    theirs, ours = _both(CALLS[call], prefix)
    assert meaning(ours) == meaning(theirs)
    if "pipeline" not in call:
        assert ours == theirs


def _everything(client: Any) -> None:
    for call in CALLS.values():
        call(client)


def test_all_calls_through_the_buffer_mean_the_same_as_by_the_statsd_package() -> None:
    random.seed(7)
    theirs = _with_statsd("duolingo.api", _everything)
    random.seed(7)
    ours = _buffered("duolingo.api", _everything)
    assert meaning(ours) == meaning(theirs)
    # Guards the comparison: calls of the same counter were indeed added up.
    assert len(ours) < len(theirs)


def test_every_public_method_of_the_statsd_package_is_there() -> None:
    theirs = {name for name in dir(statsd.StatsClient) if not name.startswith("_")}
    assert {name for name in theirs if not callable(getattr(MetricsClient, name, None))} == set()


_COUNTS = st.one_of(st.integers(-(10**12), 10**12), st.floats(-1e12, 1e12))


@settings(deadline=None, max_examples=100)
@given(
    method=st.sampled_from(["incr", "decr", "gauge", "timing", "set"]),
    stat=st.from_regex(r"[a-zA-Z0-9_.-]{1,12}", fullmatch=True),
    value=_COUNTS,
    rate=st.sampled_from([1, 0.9, 0.5, 0.01]),
)
def test_any_call_becomes_the_line_of_the_statsd_package(method: str, stat: str, value: float, rate: float) -> None:
    theirs, ours = _both(lambda client: getattr(client, method)(stat, value, rate=rate))
    # Nothing taken away is nothing, whatever its sign.
    assert ours == [line.replace(":-0.0|c", ":0.0|c") for line in theirs]


_TIMED = re.compile(r"duolingo\.api\.a:(\d+\.\d{6})\|ms(?:\|@0\.5)?")


def _typed(timer: Any) -> Callable[[_F], _F]:
    """Either package's timer as a decorator that keeps the type."""
    decorator: Callable[[_F], _F] = timer
    return decorator


def _decorated(client: Any) -> None:
    @_typed(client.timer("a"))
    def work(first: int, *, second: int) -> int:
        """Its own words."""
        return first + second

    assert work(1, second=2) == 3
    assert work(3, second=4) == 7
    assert (work.__name__, work.__doc__) == ("work", "Its own words.")


def _decorated_that_fails(client: Any) -> None:
    @_typed(client.timer("a"))
    def work() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        work()


def _with_block(client: Any) -> None:
    with client.timer("a") as timer:
        assert timer.ms is None
    assert float(str(timer.ms)) >= 0


def _with_block_that_fails(client: Any) -> None:
    with pytest.raises(KeyError), client.timer("a"):
        raise KeyError


def _by_hand(client: Any) -> None:
    timer = client.timer("a").start()
    assert timer.stop() is timer
    timer.start()
    timer.stop(send=False)
    timer.send()


def _stopped_twice(client: Any) -> None:
    timer = client.timer("a").start()
    timer.stop()
    with pytest.raises(RuntimeError):
        timer.stop()


def _sent_twice(client: Any) -> None:
    timer = client.timer("a").start().stop()
    with pytest.raises(RuntimeError):
        timer.send()


def _not_started(client: Any) -> None:
    with pytest.raises(RuntimeError):
        client.timer("a").stop()


def _not_stopped(client: Any) -> None:
    with pytest.raises(RuntimeError):
        client.timer("a").start().send()


def _in_a_pipeline(client: Any) -> None:
    with client.pipeline() as pipe, pipe.timer("a"):
        pass


def _at_a_rate(client: Any) -> None:
    for _ in range(20):
        with client.timer("a", rate=0.5):
            pass


@pytest.mark.parametrize(
    "call",
    [
        _decorated,
        _decorated_that_fails,
        _with_block,
        _with_block_that_fails,
        _by_hand,
        _stopped_twice,
        _sent_twice,
        _not_started,
        _not_stopped,
        _in_a_pipeline,
        _at_a_rate,
    ],
)
def test_a_timer_behaves_as_the_statsd_packages(call: Call) -> None:
    # Durations differ from run to run: what is compared is which lines there are, and that each is a duration.
    theirs, ours = _both(call)
    assert len(ours) == len(theirs)
    for line in ours:
        timed = _TIMED.fullmatch(line)
        assert timed, line
        assert float(timed[1]) >= 0


def _coroutine(lines: Callable[[], int]) -> Call:
    def call(client: Any) -> None:
        @_typed(client.timer("a"))
        async def work() -> int:
            # A duration sent already would be that of making the coroutine, not of its work.
            assert lines() == 0
            await asyncio.sleep(0)
            assert lines() == 0
            return 7

        assert asyncio.run(work()) == 7

    return call


def test_a_coroutine_is_timed_until_it_ends_as_by_the_statsd_package() -> None:
    sent: list[str] = []
    _coroutine(lambda: len(sent))(MetricsClient(sent.append))
    assert len(sent) == 1
    fake = _Socket()
    client = statsd.StatsClient("127.0.0.1", 8125)
    client.close()
    client._sock = fake
    _coroutine(lambda: len(fake.lines))(client)
    assert len(fake.lines) == 1


def test_a_decorated_function_may_run_in_many_threads() -> None:
    lines: list[str] = []
    barrier = threading.Barrier(8, timeout=30)

    @MetricsClient(lines.append).timer("a")
    def work() -> None:
        barrier.wait()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(lines) == 8


def test_the_statsd_package_sends_where_these_tests_listen() -> None:
    # Guards the comparison itself: the lines above are those that leave over a real socket.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        client = statsd.StatsClient("127.0.0.1", listener.getsockname()[1], prefix="duolingo.api")
        client.incr("a")
        client.close()
        assert listener.recv(100).decode().split("\n") == _with_statsd("duolingo.api", lambda fake: fake.incr("a"))

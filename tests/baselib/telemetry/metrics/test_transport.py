"""The transport: lines arrive in datagrams of a packet's length, wherever the name leads at the time."""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.telemetry.metrics import UdpTransport
from baselib.telemetry.metrics import transport as module
from baselib.telemetry.metrics.transport import MAXIMUM_DATAGRAM_BYTES, datagrams
from baselib.testing import StatsdReceiver
from tests.baselib.processes import until

_KIND = (socket.SOCK_DGRAM, 0, "")


@pytest.fixture
def receiver() -> Iterator[StatsdReceiver]:
    """Somebody who listens."""
    with StatsdReceiver() as listening:
        yield listening


@pytest.fixture
def transport(receiver: StatsdReceiver) -> Iterator[UdpTransport]:
    """A transport that knows its address."""
    made = UdpTransport("127.0.0.1", receiver.port)
    until(lambda: made.ready(lambda: None), "an address")
    yield made
    made.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transports that look up again at once."""
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.0)


def _known(*addresses: tuple[str, int]) -> Callable[..., object]:
    return lambda *_, **__: [(socket.AF_INET, *_KIND, address) for address in addresses]


def _unknown(*_: object, **__: object) -> NoReturn:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _closed_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])


def test_lines_arrive_in_order(receiver: StatsdReceiver, transport: UdpTransport) -> None:
    sent = [f"{'a' * (number % 120)}é:{number}|c" for number in range(500)]
    assert transport.send(sent) == 0
    until(lambda: len(receiver.lines) >= 500, "all lines")
    assert receiver.lines == sent


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "é", "a\n"]), st.integers(0, 2_000)).map(lambda pair: pair[0] * pair[1]))
)
def test_datagrams_hold_all_entries_in_order_and_cut_none(entries: list[str]) -> None:
    made = list(datagrams(entries))
    if entries:
        assert b"\n".join(made).decode() == "\n".join(entries)
    alone = {entry.encode() for entry in entries}
    for datagram in made:
        assert len(datagram) <= MAXIMUM_DATAGRAM_BYTES == 1452 or datagram in alone


def test_no_datagram_is_smaller_than_it_could_be() -> None:
    made = list(datagrams(["a" * 100] * 100))
    assert [len(datagram) for datagram in made[:-1]] == [14 * 101 - 1] * (len(made) - 1)


def test_lost_counts_lines_and_not_datagrams(transport: UdpTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def send(self, _: bytes) -> NoReturn:
            raise BlockingIOError

        def close(self) -> None: ...

    assert transport._socket
    transport._socket.close()
    monkeypatch.setattr(transport, "_socket", Full())
    assert transport.send([*[f"a:{number}|c" for number in range(10)], "b:0|g\nb:-2|g"]) == 12


def test_an_entry_that_no_datagram_can_hold_costs_no_other(receiver: StatsdReceiver, transport: UdpTransport) -> None:
    assert transport.send(["before:1|c", "a" * 70_000, "caf\udce9:1|c", "behind:1|c"]) == 1
    until(lambda: len(receiver.lines) == 3, "the others")
    assert receiver.lines == ["before:1|c", "caf?:1|c", "behind:1|c"]


def test_many_datagrams_do_not_overrun_a_receive_buffer_of_the_usual_size(transport: UdpTransport) -> None:
    # Three times what such a buffer holds.
    with StatsdReceiver() as usual:
        other = UdpTransport("127.0.0.1", usual.port)
        until(lambda: other.ready(lambda: None), "an address")
        other.send(["a" * 1_400] * 300)
        until(lambda: len(usual.lines) == 300, "all of them")
        other.close()


def test_nobody_who_listens_is_a_loss_and_no_error() -> None:
    transport = UdpTransport("127.0.0.1", _closed_port())
    until(lambda: transport.ready(lambda: None), "an address")
    # The kernel tells of the closed port only at a later send.
    until(lambda: transport.send(["a:1|c"]), "a loss")
    transport.close()


def test_a_daemon_that_comes_back_gets_the_first_datagram_after_the_error() -> None:
    port = _closed_port()
    transport = UdpTransport("127.0.0.1", port)
    until(lambda: transport.ready(lambda: None), "an address")
    assert transport._socket
    transport._socket.send(b"nobody:1|c")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", port))
        daemon.settimeout(20)
        # One line counts as lost, the one before: this one arrives.
        assert transport.send(["back:1|c"]) == 1
        assert daemon.recv(100) == b"back:1|c"
    transport.close()


@pytest.mark.usefixtures("impatient")
def test_where_a_name_has_several_addresses_the_one_that_listens_is_found(
    receiver: StatsdReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As localhost has, whose first address is ::1 while many daemons listen on 127.0.0.1.
    known = _known(("127.0.0.1", _closed_port()), ("127.0.0.1", receiver.port))
    monkeypatch.setattr(socket, "getaddrinfo", known)
    transport = UdpTransport("two.test", 8125)

    def arrived() -> bool:
        if transport.ready(lambda: None):
            transport.send(["a:1|c"])
        return "a:1|c" in receiver.lines

    until(arrived, "a line")
    transport.close()


@pytest.mark.usefixtures("impatient")
def test_a_name_that_moves_is_followed(receiver: StatsdReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_UP_SECONDS", 0.0)
    with StatsdReceiver() as first:
        monkeypatch.setattr(socket, "getaddrinfo", _known(("127.0.0.1", first.port)))
        transport = UdpTransport("moving.test", 8125)
        until(lambda: transport.ready(lambda: None), "an address")
        transport.send(["a:1|c"])
        until(lambda: first.lines == ["a:1|c"], "the first line")
        monkeypatch.setattr(socket, "getaddrinfo", _known(("127.0.0.1", receiver.port)))

        def arrived() -> bool:
            transport.ready(lambda: None)
            transport.send(["b:1|c"])
            return "b:1|c" in receiver.lines

        until(arrived, "a line at the new address")
        transport.close()


@pytest.mark.usefixtures("impatient")
def test_an_address_that_worked_is_kept_while_the_resolver_is_away_or_hangs(
    receiver: StatsdReceiver, transport: UdpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> NoReturn:
        asked.set()
        answer.wait(20)
        _unknown()

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    transport._due = 0.0
    assert transport.ready(lambda: None)
    assert asked.wait(20)
    assert transport.ready(lambda: None)
    assert transport.send(["while:1|c"]) == 0
    answer.set()
    until(lambda: not transport.pending, "the end of the look-up")
    assert transport.ready(lambda: None)
    assert transport.send(["after:1|c"]) == 0
    until(lambda: receiver.lines == ["while:1|c", "after:1|c"], "both")


@pytest.mark.usefixtures("impatient")
def test_a_name_is_looked_up_until_it_is_found(receiver: StatsdReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    found = threading.Event()
    transport = UdpTransport("late.test", 8125)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", _unknown)
        for _ in range(3):
            found.clear()
            assert not transport.ready(found.set)
            assert found.wait(20)
    monkeypatch.setattr(socket, "getaddrinfo", _known(("127.0.0.1", receiver.port)))
    until(lambda: transport.ready(lambda: None), "an address")
    transport.close()


def test_where_no_thread_can_be_started_the_name_is_found_without(
    receiver: StatsdReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    transport = UdpTransport("127.0.0.1", receiver.port)
    assert not transport.ready(lambda: None)
    assert transport.pending
    assert transport.ready(lambda: None)
    transport.close()


def test_the_resolver_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    caller = threading.current_thread()

    def count(*_: object, **__: object) -> NoReturn:
        assert threading.current_thread() is not caller
        asked.append(time.monotonic())
        _unknown()

    monkeypatch.setattr(socket, "getaddrinfo", count)
    transport = UdpTransport("unknown.test", 8125)
    until(lambda: transport.ready(lambda: None) or len(asked) >= 3, "three look-ups")
    assert min(later - sooner for sooner, later in itertools.pairwise(asked)) > 0.5


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "a" * 300])
def test_a_name_that_cannot_be_a_name_is_no_error(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    ended = threading.Event()
    transport = UdpTransport(host, 8125)
    assert not transport.ready(ended.set)
    assert ended.wait(20)
    assert not transport.ready(lambda: None)
    assert died == []

"""The transport: every line arrives where somebody listens, and nothing is ever the caller's trouble."""

import os
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
from baselib.telemetry.metrics.transport import MAXIMUM_DATAGRAM_BYTES, _datagrams

SECONDS = 20.0


def _eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class _Listener:
    """A statsd daemon that keeps its datagrams."""

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def lines(self) -> list[str]:
        return [line for datagram in list(self.datagrams) for line in datagram.decode().split("\n")]

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self.datagrams.append(self._socket.recv(65535))
            except TimeoutError:
                continue


@pytest.fixture
def listener() -> Iterator[_Listener]:
    """Somebody who listens."""
    made = _Listener()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _transports_come_to_rest(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[UdpTransport] = []
    start_afresh = UdpTransport._start_afresh

    def noted(transport: UdpTransport) -> None:
        made.append(transport)
        start_afresh(transport)

    monkeypatch.setattr(UdpTransport, "_start_afresh", noted)
    yield
    for transport in made:
        # Their threads live as long as the process: from here on without looking names up or sending.
        with transport._sending:
            vars(transport)["_send_waiting"] = _nothing
            if transport._socket is not None:
                transport._socket.close()


def _nothing() -> None:
    """What a transport at rest does."""


def test_lines_arrive_in_order_and_gathered(listener: _Listener) -> None:
    transport = UdpTransport("127.0.0.1", listener.port)
    for number in range(100):
        transport(f"a:{number}|c")
    assert _eventually(lambda: len(listener.lines) >= 100)
    assert listener.lines == [f"a:{number}|c" for number in range(100)]
    assert len(listener.datagrams) < 100
    assert transport.lost == 0


def test_no_datagram_is_longer_than_a_packet(listener: _Listener) -> None:
    transport = UdpTransport("127.0.0.1", listener.port)
    sent = [f"{'a' * (number % 120)}é:{number}|c" for number in range(500)]
    for line in sent:
        transport(line)
    assert _eventually(lambda: len(listener.lines) >= 500)
    assert listener.lines == sent
    assert max(map(len, listener.datagrams)) <= MAXIMUM_DATAGRAM_BYTES == 1452


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(alphabet="aé\n", max_size=1500).map(lambda text: text * 2), max_size=12))
def test_datagrams_hold_all_lines_in_order_and_only_a_single_line_may_be_too_long(entries: list[str]) -> None:
    datagrams = _datagrams(entries)
    if entries:
        assert b"\n".join(datagrams).decode() == "\n".join(entries)
    for datagram in datagrams:
        assert len(datagram) <= MAXIMUM_DATAGRAM_BYTES or b"\n" not in datagram


def test_nothing_is_lost_under_many_threads(listener: _Listener) -> None:
    transport = UdpTransport("127.0.0.1", listener.port)

    def send(thread: int) -> None:
        for number in range(1000):
            transport(f"{thread}.{number}:1|c")

    threads = [threading.Thread(target=send, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert _eventually(lambda: len(listener.lines) >= 8000)
    assert sorted(listener.lines) == sorted(f"{thread}.{number}:1|c" for thread in range(8) for number in range(1000))
    assert transport.lost == 0


def test_flush_sends_what_waits(listener: _Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    # The transport's own thread would send it too, an hour later.
    monkeypatch.setattr(module, "_FLUSH_SECONDS", 3600.0)
    transport = UdpTransport("127.0.0.1", listener.port)
    transport("a:1|c")
    transport.flush(SECONDS)
    assert _eventually(lambda: listener.lines == ["a:1|c"])


def test_flush_waits_for_what_the_thread_is_sending(listener: _Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    # Between taking the lines and sending them nothing waits any more, and a process that ends then loses them.
    taken, go_on = threading.Event(), threading.Event()
    real = module._datagrams

    def slow(lines: list[str]) -> list[bytes]:
        if lines:
            taken.set()
            go_on.wait(SECONDS)
        return real(lines)

    monkeypatch.setattr(module, "_datagrams", slow)
    transport = UdpTransport("127.0.0.1", listener.port)
    transport("a:1|c")
    assert taken.wait(SECONDS)
    flushed = threading.Event()

    def flush() -> None:
        transport.flush(SECONDS)
        flushed.set()

    threading.Thread(target=flush, daemon=True).start()
    early = flushed.wait(0.3)
    go_on.set()
    assert not early
    assert flushed.wait(SECONDS)
    assert _eventually(lambda: listener.lines == ["a:1|c"])


def _unknown(*_: object, **__: object) -> NoReturn:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_a_name_that_does_not_resolve_is_not_the_callers_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _unknown)
    monkeypatch.setattr(module, "_MAXIMUM_WAITING_LINES", 100)
    transport = UdpTransport("nobody.invalid", 8125)
    for _ in range(150):
        transport("a:1|c")
    transport.flush(SECONDS)
    assert transport.lost == 50


def test_lines_wait_until_the_name_resolves(listener: _Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def unknown_yet(*_: object, **__: object) -> NoReturn:
        asked.set()
        _unknown()

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown_yet)
        transport = UdpTransport("localhost", listener.port)
        transport("a:1|c")
        assert asked.wait(SECONDS)
    # `localhost` may be ::1 first, where nobody listens.
    known = [(socket.AF_INET, socket.SOCK_DGRAM, 0, "", ("127.0.0.1", listener.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
    assert _eventually(lambda: listener.lines == ["a:1|c"])


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "a" * 300])
def test_a_name_that_cannot_be_a_name_does_not_end_the_thread(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    transport = UdpTransport(host, 8125)
    transport("a:1|c")
    transport.flush(SECONDS)
    assert died == []


def test_a_caller_is_never_kept_waiting_by_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer = threading.Event(), threading.Event()
    callers = []

    def hang(*_: object, **__: object) -> NoReturn:
        callers.append(threading.current_thread())
        asked.set()
        answer.wait(SECONDS)
        _unknown()

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    transport = UdpTransport("slow.invalid", 8125)
    transport("a:1|c")
    assert asked.wait(SECONDS)
    # The look-up hangs now; were it or its lock in the caller's way, these would hang with it.
    for _ in range(1000):
        transport("a:1|c")
    transport.flush(0.01)
    answer.set()
    assert threading.current_thread() not in callers


def test_nobody_who_listens_is_not_the_callers_trouble() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    transport = UdpTransport("127.0.0.1", port)

    def lost_something() -> bool:
        transport("a:1|c")
        transport.flush(SECONDS)
        return transport.lost > 0

    # The kernel tells of the closed port only at a later send.
    assert _eventually(lost_something)


def test_lost_counts_lines_and_not_datagrams(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refuses(socket.socket):
        def send(self, *_: object) -> NoReturn:
            raise ConnectionRefusedError

    monkeypatch.setattr(module, "_FLUSH_SECONDS", 3600.0)
    monkeypatch.setattr(socket, "socket", Refuses)
    transport = UdpTransport("127.0.0.1", 9)
    for number in range(10):
        transport(f"a:{number}|c")
    transport("b:1|c\nb:2|c")
    transport.flush(SECONDS)
    assert _eventually(lambda: transport.lost > 0)
    assert transport.lost == 12


def test_a_line_that_is_no_text_costs_no_other_line(listener: _Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    transport = UdpTransport("127.0.0.1", listener.port)
    transport("before:1|c")
    transport("caf\udce9:1|c")
    transport("behind:1|c")
    assert _eventually(lambda: bool(died) or len(listener.lines) >= 2)
    transport("later:1|c")
    assert died == []
    assert _eventually(lambda: "later:1|c" in listener.lines)
    assert {"before:1|c", "behind:1|c"} <= set(listener.lines)


def test_a_line_that_no_datagram_can_hold_costs_no_other_line(listener: _Listener) -> None:
    transport = UdpTransport("127.0.0.1", listener.port)
    transport("before:1|c")
    transport("a" * 70_000)
    transport("behind:1|c")
    assert _eventually(lambda: {"before:1|c", "behind:1|c"} <= set(listener.lines))
    assert transport.lost == 1


def test_a_process_that_can_start_no_thread_goes_on(listener: _Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    transport = UdpTransport("127.0.0.1", listener.port)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        transport("a:1|c")
        transport.flush(SECONDS)
    transport("a:2|c")
    assert _eventually(lambda: listener.lines == ["a:1|c", "a:2|c"])


# From Python 3.12 on a fork beside threads warns; that it works all the same is what is tested.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_sends_its_own_lines_and_not_the_parents(
    listener: _Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The threads sleep an hour, so that the parent's line still waits while the child lives.
    monkeypatch.setattr(module, "_FLUSH_SECONDS", 3600.0)
    transport = UdpTransport("127.0.0.1", listener.port)
    transport("first:1|c")
    transport.flush(SECONDS)
    assert _eventually(lambda: listener.lines == ["first:1|c"])
    transport("parent:1|c")
    # Held across the fork, as by a thread that the child does not have.
    with transport._sending:
        child = os.fork()
        if child == 0:
            try:
                transport.flush()
                transport("child:1|c")
                transport("child:2|c")
                transport.flush(SECONDS)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    assert _eventually(lambda: len(listener.lines) >= 3)
    assert listener.lines[1:] == ["child:1|c", "child:2|c"]
    transport.flush(SECONDS)
    assert _eventually(lambda: listener.lines[1:] == ["child:1|c", "child:2|c", "parent:1|c"])

"""Clients that are slow, silent or gone, against `baselib serve` as a process."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from baselib.testing import StatsdReceiver
from tests.baselib.processes import Launch, ask, status, until
from tests.baselib.web.served import Client, Served

POST = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"


@contextlib.contextmanager
def clients(port: int, count: int, sent: bytes = b"") -> Iterator[list[Client]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Client(port, sent)) for _ in range(count)]


@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_clients_that_do_not_finish_a_head_keep_nobody_from_being_answered(
    tmp_path: Path, launch: Launch, sent: bytes
) -> None:
    served = Served(tmp_path, launch, WEB_THREADS="2")
    with clients(served.port, 100, sent) as slow:
        for _ in range(20):
            assert status(served.port, "/") == 200
        assert not [client for client in slow if sent == b"" and client.closed]


def test_a_head_that_takes_too_long_is_answered_408_and_counted(tmp_path: Path, launch: Launch) -> None:
    with StatsdReceiver() as statsd:
        served = Served(tmp_path, launch, **statsd.environment)
        with Client(served.port, b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\nX-Slow: ") as client:
            # One byte and then another does not make it any better.
            sender = threading.Thread(target=_drip, args=(client,))
            sender.start()
            head, _, body = client.everything().partition(b"\r\n\r\n")
            sender.join()
        assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"Content-Type: application/problem+json" in head
        assert json.loads(body)["request_id"] == "mine"
        until(lambda: [line for line in statsd.lines if "clients.slow:" in line and "part:header" in line], "count")


def _drip(client: Client) -> None:
    with contextlib.suppress(OSError):
        for _ in range(300):
            client.send(b"a")
            time.sleep(0.1)


def test_a_silent_connection_stays_open_and_may_still_ask(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch)
    with Client(served.port) as silent, Client(served.port, b"GET / HTTP/1.1\r\n") as slow:
        # By then a head that had begun would have been too slow.
        assert slow.answer()[0] == 408
        silent.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert silent.answer()[0] == 200


@pytest.mark.parametrize("drip", [False, True])
def test_a_body_that_takes_too_long_is_answered_408_and_frees_its_thread(
    tmp_path: Path, launch: Launch, drip: bool
) -> None:
    with StatsdReceiver() as statsd:
        served = Served(tmp_path, launch, WEB_THREADS="2", **statsd.environment)
        with clients(served.port, 2, POST + b"a") as slow:
            senders = [threading.Thread(target=_drip, args=(client,)) for client in slow] if drip else []
            for sender in senders:
                sender.start()
            assert [client.answer()[0] for client in slow] == [408, 408]
            assert status(served.port, "/") == 200
            for client in slow:
                client.close()
            for sender in senders:
                sender.join()
        until(lambda: [line for line in statsd.lines if "clients.slow:" in line and "part:body" in line], "count")
    assert "Traceback" not in served.program.output


def test_a_body_that_is_large_and_quick_enough_arrives_whole(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch)
    body = b"0123456789" * 10_000
    with Client(served.port, POST) as client:
        for start in range(0, len(body), 5000):
            client.send(body[start : start + 5000])
            time.sleep(0.1)
        assert client.answer() == (200, body)


@pytest.mark.parametrize("framing", [b"Content-Length: 10\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf"])
def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_error_and_no_half_request(
    tmp_path: Path, launch: Launch, framing: bytes
) -> None:
    served = Served(tmp_path, launch)
    with Client(served.port, b"POST /echo HTTP/1.1\r\nHost: a\r\n" + framing) as client:
        client._socket.shutdown(1)
        assert client.answer()[0] == 400
    assert "Traceback" not in served.program.output
    assert "ERROR" not in served.program.output


def test_a_client_that_does_not_read_its_answer_is_closed_and_counted(tmp_path: Path, launch: Launch) -> None:
    with StatsdReceiver() as statsd:
        served = Served(tmp_path, launch, WEB_THREADS="1", **statsd.environment)
        with Client(served.port, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n", buffer=4096):
            until(lambda: [line for line in statsd.lines if "slow:" in line and "part:response" in line], "count")
            assert status(served.port, "/") == 200
    assert "Traceback" not in served.program.output


def test_a_client_that_reads_its_answer_little_by_little_gets_all_of_it(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch)
    with Client(served.port, b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", buffer=65536) as client:
        assert client.everything().count(b"#") == 400 * 65536


def test_clients_that_do_not_close_after_the_last_answer_hold_up_nobody(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch, WEB_THREADS="2")
    began = time.monotonic()
    with clients(served.port, 30, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") as lingering:
        assert [client.answer()[0] for client in lingering] == [200] * 30
        # gunicorn would wait for two seconds for each of them, one after the other.
        assert time.monotonic() - began < 30
        assert status(served.port, "/") == 200


def test_idle_connections_hold_up_nobody(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch, WEB_THREADS="2")
    with clients(served.port, 40, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as idle:
        assert [client.answer()[0] for client in idle] == [200] * 40
        assert status(served.port, "/") == 200


def test_with_too_many_connections_the_silent_ones_go_first(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch)
    with Client(served.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as kept:
        assert kept.answer()[0] == 200
        with clients(served.port, 1010) as silent:
            until(lambda: silent[0].closed, "the oldest silent one is closed")
            assert not silent[-1].closed
            kept.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert kept.answer()[0] == 200


def test_readiness_is_answered_to_slow_and_quick_clients_alike(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch)
    with Client(served.port) as client:
        for byte in b"GET /healthz/live HTTP/1.1\r\nHost: a\r\n\r\n":
            client.send(bytes([byte]))
        assert client.answer()[0] == 200
    answer = ask(served.port, "/healthz/live")
    assert answer is not None
    assert answer.status == 200

"""The server of a worker's endpoints: serves everybody, waits for nobody, and says nothing."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from ipaddress import ip_network
from typing import Any

import pytest

from baselib.contract import ConfigurationError, Settings
from baselib.health import HealthCheck, HealthChecks, HealthEndpoints
from baselib.health import server as module
from baselib.health.server import HealthServer
from baselib.lifecycle import Life, Phase

SECONDS = 20.0
SETTINGS = Settings(product="duolingo", service="api", owner="platform")


def _endpoints(*checks: HealthCheck) -> HealthEndpoints:
    life, made = Life(), HealthChecks()
    life.advance(Phase.READY)
    for check in checks:
        made.add(check)
    return HealthEndpoints(SETTINGS, life, made)


def _get(port: int, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def server() -> Iterator[HealthServer]:
    """A server on a free port."""
    with HealthServer(_endpoints(), 0, "127.0.0.1") as made:
        yield made


def test_it_serves_the_endpoints(server: HealthServer) -> None:
    status, body = _get(server.port, "/healthz/ready")
    assert (status, json.loads(body)) == (200, {"status": "ready"})
    assert _get(server.port, "/healthz/info")[0] == 200
    assert _get(server.port, "/nothing")[0] == 404


def test_an_answer_to_head_has_no_body(server: HealthServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), SECONDS) as connection:
        connection.sendall(b"HEAD /healthz/live HTTP/1.0\r\n\r\n")
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"200 OK" in head.splitlines()[0]
    assert body == b""


def test_a_silent_client_keeps_nobody_waiting(server: HealthServer) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.port), SECONDS) for _ in range(5)]
    try:
        assert _get(server.port, "/healthz/live")[0] == 200
    finally:
        for connection in silent:
            connection.close()


def test_a_hung_check_does_not_keep_liveness_waiting() -> None:
    hung = threading.Event()
    check = HealthCheck("hung", lambda: hung.wait(SECONDS), timeout=SECONDS)
    with HealthServer(_endpoints(check), 0, "127.0.0.1") as server:
        asking = threading.Thread(target=_get, args=(server.port, "/healthz/dependencies"))
        asking.start()
        try:
            assert _get(server.port, "/healthz/live")[0] == 200
            assert asking.is_alive()
        finally:
            hung.set()
            asking.join(SECONDS)


def test_a_silent_client_is_let_go_without_a_word(
    server: HealthServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # Port scanners and TCP probes do this all the time; a stack on standard error would drown the log.
    monkeypatch.setattr(module._Handler, "timeout", 0.05)
    with socket.create_connection(("127.0.0.1", server.port), SECONDS) as connection:
        assert connection.recv(1) == b""
    told = capfd.readouterr()
    assert told.out + told.err == ""


def test_requests_are_not_logged(server: HealthServer, capfd: pytest.CaptureFixture[str]) -> None:
    _get(server.port, "/healthz/live")
    assert capfd.readouterr().err == ""


def test_a_port_in_use_is_a_configuration_error(server: HealthServer) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        HealthServer(_endpoints(), server.port, "127.0.0.1")
    assert refusal.value.problems == (f"HEALTH_PORT is {server.port}: Address already in use",)


def test_a_process_that_starts_again_gets_its_port_back() -> None:
    with (
        HealthServer(_endpoints(), 0, "127.0.0.1") as first,
        socket.create_connection(("127.0.0.1", first.port), SECONDS) as connection,
    ):
        connection.sendall(b"GET /healthz/live HTTP/1.0\r\n\r\n")
        # Read to the end: the server closes first, so that the kernel remembers its port for a minute.
        while connection.recv(65536):
            pass
    with HealthServer(_endpoints(), first.port, "127.0.0.1") as second:
        assert _get(second.port, "/healthz/live")[0] == 200


def _details(port: int, *headers: str) -> bytes:
    """The status line for a request with these headers."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.sendall("\r\n".join(["GET /healthz/info HTTP/1.0", *headers, "", ""]).encode())
        return connection.makefile("rb").readline()


@pytest.mark.parametrize("trusted", [(), (ip_network("10.0.0.0/16"),)])
def test_who_may_see_details_is_decided_by_what_a_proxy_has_written(trusted: tuple[Any, ...]) -> None:
    settings = Settings(product="duolingo", service="api", owner="platform", trusted_proxies=trusted)
    with HealthServer(HealthEndpoints(settings, Life(), HealthChecks()), 0, "127.0.0.1") as server:
        for headers, may in (
            ([], True),
            (["X-Forwarded-For: 10.0.0.1"], True),
            (["X-Forwarded-For: 8.8.8.8"], False),
            # Repeated, and under a name that is the same to WSGI but not to a proxy.
            (["X-Forwarded-For: 10.0.0.1", "X-Forwarded-For: 8.8.8.8"], False),
            (["X-Forwarded-For: 8.8.8.8", "X-Forwarded-For: 10.0.0.1"], False),
            (["X-Forwarded-For: 192.168.0.1, 8.8.8.8", "X_Forwarded_For: 192.168.0.1"], False),
            (["X_Forwarded_For: 192.168.0.1", "x-forwarded-for: 8.8.8.8"], False),
            (["Forwarded: for=10.0.0.1"], False),
        ):
            assert (b" 200 " in _details(server.port, *headers)) == may, headers


def test_a_header_with_an_underscore_is_left_out() -> None:
    token = "0123456789abcdef"
    settings = Settings(product="duolingo", service="api", owner="platform", health_token=token)
    with HealthServer(HealthEndpoints(settings, Life(), HealthChecks()), 0, "127.0.0.1") as server:
        closed = "X-Forwarded-For: 8.8.8.8"
        assert b" 200 " in _details(server.port, closed, f"Authorization: Bearer {token}")
        assert b" 200 " in _details(server.port, "X_Forwarded_For: 8.8.8.8")


def test_after_its_end_nobody_listens() -> None:
    with HealthServer(_endpoints(), 0, "127.0.0.1") as server:
        port = server.port
    with pytest.raises(ConnectionRefusedError):
        _get(port, "/healthz/live")

"""The health check of another service: is it alive."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NoReturn

import pytest

from baselib.http import dependency_check
from baselib.http import reachability as module


class _Service:
    """Another service, which answers with one status and keeps the paths."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.status = 200
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.paths.append(self.path)
                self.send_response(service.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[_Service]:
    """Another service."""
    made = _Service()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("path", "asked"),
    [("", "/healthz/live"), ("/", "/healthz/live"), ("/shop", "/shop/healthz/live"), ("/shop/", "/shop/healthz/live")],
)
def test_it_asks_whether_the_other_is_alive_and_not_whether_it_is_ready(
    service: _Service, path: str, asked: str
) -> None:
    dependency_check("shop-api", service.url + path, hard=True).run()
    assert service.paths == [asked]


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_another_answer_is_a_failure_that_says_which(service: _Service, status: int) -> None:
    service.status = status
    with pytest.raises(RuntimeError, match=f"^shop-api answered {status}$"):
        dependency_check("shop-api", service.url, hard=True).run()


def test_nobody_is_a_failure() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        check = dependency_check("shop-api", f"http://127.0.0.1:{closed.getsockname()[1]}", hard=False)
        with pytest.raises(ConnectionRefusedError):
            check.run()
    assert (check.name, check.hard, check.required_for_traffic) == ("shop-api", False, False)
    assert check.timeout > module._TIMEOUT_SECONDS


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://shop", ("shop", 80)),
        ("http://shop:8080", ("shop", 8080)),
        ("https://shop", ("shop", 443)),
        ("http://[::1]:8080", ("::1", 8080)),
        ("http://[fd00::1]", ("fd00::1", 80)),
        ("https://[fd00::1]/", ("fd00::1", 443)),
    ],
)
def test_the_address_is_that_of_the_url(url: str, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def refuse(address: object, *_: object, **__: object) -> NoReturn:
        asked.append(address)
        raise ConnectionRefusedError

    # HTTPConnection takes the function when it is made.
    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(ConnectionRefusedError):
        dependency_check("shop-api", url, hard=True).run()
    assert asked == [address]

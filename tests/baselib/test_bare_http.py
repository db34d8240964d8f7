"""A GET that ends at its deadline."""

import socket
import threading
from collections.abc import Iterator

import pytest

from baselib.bare_http import get


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that listens on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def test_it_gives_the_answer_to_its_end(listener: socket.socket) -> None:
    asked: list[bytes] = []

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.recv(65536))
            for piece in (b"HTTP/1.0 200 OK\r\n", b"\r\n", b"fine"):
                connection.sendall(piece)

    thread = threading.Thread(target=answer)
    thread.start()
    port = listener.getsockname()[1]
    assert get("127.0.0.1", port, "/a?b=c", timeout=20, most_bytes=1000) == b"HTTP/1.0 200 OK\r\n\r\nfine"
    thread.join()
    assert asked == [b"GET /a?b=c HTTP/1.0\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % port]


@pytest.mark.parametrize("timeout", [0.1, 0.0, -1.0])
def test_who_does_not_answer_is_not_waited_for(listener: socket.socket, timeout: float) -> None:
    with pytest.raises(TimeoutError, match="timed out"):
        get("127.0.0.1", listener.getsockname()[1], "/", timeout=timeout, most_bytes=1000)


def test_no_more_is_read_than_asked_for(listener: socket.socket) -> None:
    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            try:
                while True:
                    connection.sendall(b"x" * 1000)
            except OSError:
                return

    thread = threading.Thread(target=answer)
    thread.start()
    assert len(get("127.0.0.1", listener.getsockname()[1], "/", timeout=20, most_bytes=10_000)) < 10_000 + 65_536
    thread.join()

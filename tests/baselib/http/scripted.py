"""Another service that does exactly what a test says, one step for each request, over real sockets."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Step = Callable[[socket.socket], bool]
"""Does something on a connection when a request has been read; returns whether another may follow."""


@dataclass(frozen=True)
class Received:
    """A request as the server saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


def answer(status: int = 200, body: bytes = b"", headers: dict[str, str] | None = None, *, close: bool = False) -> Step:
    """A whole response; `close` closes without having said so."""
    lines = [f"HTTP/1.1 {status} Scripted", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body, close=close)


def raw(data: bytes, *, close: bool = True) -> Step:
    """Any bytes."""

    def step(connection: socket.socket) -> bool:
        connection.sendall(data)
        return not close

    return step


def reset(connection: socket.socket) -> bool:
    """RST instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def hang_up(connection: socket.socket) -> bool:
    """FIN instead of an answer."""
    return False


class Scripted:
    """The server.

    Args:
        script: A step for each request; the last one is repeated.
        context: For TLS.
        read_body: Whether it waits for the body before it takes the step.
    """

    def __init__(self, *script: Step, context: ssl.SSLContext | None = None, read_body: bool = True) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.most_at_once = 0
        self.stopping = threading.Event()
        self._script = list(script) or [answer()]
        self._context = context
        self._read_body = read_body
        self._lock = threading.Lock()
        self._at_once = 0
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def script(self, *script: Step) -> None:
        """Go on with other steps."""
        with self._lock:
            self._script = list(script)

    def silent(self, connection: socket.socket) -> bool:
        """No answer, and the connection stays."""
        self.stopping.wait()
        return False

    def trickle(self, pieces: Iterable[bytes], every: float = 0.05) -> Step:
        """One piece after the other, for ever the last."""

        def step(connection: socket.socket) -> bool:
            last = b"."
            for last in pieces:
                connection.sendall(last)
                time.sleep(every)
            while not self.stopping.wait(every):
                connection.sendall(last)
            return False

        return step

    def close(self) -> None:
        """End it, with all connections."""
        self.stopping.set()
        _shut(self._listener)
        self._listener.close()
        self.drop_connections()

    def drop_connections(self) -> None:
        """Close all connections, as a server does with those that are idle."""
        with self._lock:
            for connection in self._open:
                _shut(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with self._lock:
                self._open.add(connection)
            with connection.makefile("rb") as reader:
                while self._one(connection, reader, number):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _one(self, connection: socket.socket, reader, number: int) -> bool:  # type: ignore[no-untyped-def]
        first = reader.readline().decode("latin-1").split()
        if len(first) < 2:
            return False
        headers: dict[str, str] = {}
        while (line := reader.readline().decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", 0))) if self._read_body else b""
        with self._lock:
            self.requests.append(Received(first[0], first[1], headers, body, number))
            step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return step(connection)
        finally:
            with self._lock:
                self._at_once -= 1


def _shut(connection: socket.socket) -> None:
    """Wake whoever reads from it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)

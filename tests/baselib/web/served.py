"""A web service as a process, and clients that speak to it byte by byte."""

import socket
import textwrap
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.baselib.processes import IDENTITY, PATIENCE_SECONDS, Launch, Program, descendants, free_port, status, until

SOURCE = """
    import os, pathlib, threading, time
    from baselib import container
    from baselib.web import create_app, reception, shedding, slow_clients
    from flask import Response, request
    import struct

    # The machine of the test may have a memory limit of its own.
    container.memory = lambda: None
    # Nobody wants to wait for the real ones.
    reception.HEADER_SECONDS = 1.0
    slow_clients._FREE_SECONDS = 1
    slow_clients._BLOCKED = struct.pack("ll", 1, 0)
    shedding._LONGEST_WAIT_SECONDS = float(os.environ.get("LONGEST_WAIT", 5))

    def routes(app, service):
        @app.get("/")
        def process():
            return str(os.getpid())

        @app.get("/slow")
        def slow():
            pathlib.Path("begun").touch()
            while not pathlib.Path("go").exists():
                time.sleep(0.02)
            return "finished"

        @app.get("/nap")
        def nap():
            time.sleep(float(request.args["seconds"]))
            return "rested"

        @app.post("/echo")
        def echo():
            return request.get_data()

        @app.post("/unread")
        def unread():
            return "unread"

        @app.get("/large")
        def large():
            return Response((b"#" * 65536 for _ in range(400)), content_type="text/plain")

        @app.get("/headers")
        def headers():
            return {"count": len(request.headers), "agent": request.headers.get("User-Agent", "")}

        @app.get("/environ")
        def environ():
            waited = time.monotonic() - request.environ["baselib.queued"]
            return {"waited": waited, "scheme": request.scheme, "script": request.environ["SCRIPT_NAME"]}

    app = create_app(__name__, routes=routes)
"""


class Served:
    """A web service as a process.

    Args:
        folder: Where it runs.
        launch: Starts it.
        source: Its module.
        environment: Variables besides the identity.
    """

    def __init__(self, folder: Path, launch: Launch, source: str = SOURCE, **environment: str) -> None:
        (folder / "service.py").write_text(textwrap.dedent(source))
        self.folder = folder
        self.port = free_port()
        self.program: Program = launch(
            "serve",
            "--host",
            "127.0.0.1",
            "service:app",
            **{**IDENTITY, "PORT": str(self.port), "WEB_CONCURRENCY": "1", "DRAIN_SECONDS": "0.1", **environment},
        )
        self.program.ready(lambda: status(self.port, "/healthz/ready") == 200, "it is ready")
        count = int(environment.get("WEB_CONCURRENCY", "1"))
        self.program.ready(lambda: len(self.workers()) == count, "every worker is there")

    def workers(self) -> set[int]:
        """The ids of the processes that answer."""
        return descendants(self.program.id)

    def begun(self) -> None:
        """Wait until a request to `/slow` has begun."""
        self.program.ready((self.folder / "begun").exists, "the slow request has begun")

    def let_go(self) -> None:
        """Let every request to `/slow` finish."""
        (self.folder / "go").touch()


class Client:
    """A connection that sends what it is told to, and no more.

    Args:
        port: Where the service listens.
        sent: What to send at once.
        buffer: The size of the receive buffer, for a client that reads little.
    """

    def __init__(self, port: int, sent: bytes = b"", buffer: int | None = None) -> None:
        self._socket = socket.socket()
        if buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.settimeout(PATIENCE_SECONDS)
        self._socket.connect(("127.0.0.1", port))
        if sent:
            self.send(sent)

    def send(self, data: bytes) -> None:
        """Send some bytes."""
        self._socket.sendall(data)

    def everything(self) -> bytes:
        """What the service sends until it closes the connection."""
        parts = []
        try:
            while part := self._socket.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)

    def answer(self) -> tuple[int, bytes]:
        """One answer: its status and, where it says its length, its body."""
        received = b""
        while b"\r\n\r\n" not in received:
            part = self._socket.recv(1)
            if not part:
                return 0, received
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length:
            body += self._socket.recv(length - len(body))
        return int(head.split()[1]), body

    @property
    def closed(self) -> bool:
        """Whether the service has closed the connection, and sent nothing before."""
        self._socket.setblocking(False)
        try:
            return self._socket.recv(1) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True
        finally:
            self._socket.settimeout(PATIENCE_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


__all__ = ["Client", "Served", "until"]

"""Servers on loopback that answer as a test says: an AWS, or the endpoint that gives a task its keys."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON = {"Content-Type": "application/x-amz-json-1.0"}


@dataclass
class Request:
    """What a stub was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What it answers; `hang` waits until the stub is closed."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    hang: bool = False
    cut: bool = False


class Stub:
    """Answers with `answer(request)`, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Answer] = lambda request: Answer()
        self._closing = threading.Event()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, self.path, dict(self.headers.items()), body)
                stub.requests.append(request)
                answer = stub.answer(request)
                if answer.hang:
                    self.close_connection = True
                    stub._closing.wait(30)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status != 304:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if answer.cut:
                    self.close_connection = True
                    self.wfile.write(answer.body[: len(answer.body) // 2])
                elif self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_POST = do_PUT = do_HEAD = do_DELETE = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def answer_in_turn(self, *answers: Answer) -> None:
        """Give each answer once, and the last one for ever."""
        left = list(answers)
        lock = threading.Lock()

        def answer(_: Request) -> Answer:
            with lock:
                return left.pop(0) if len(left) > 1 else left[0]

        self.answer = answer

    def close(self) -> None:
        """End it, and what hangs in it."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def stubbed() -> Iterator[Stub]:
    """A stub for the length of a block."""
    stub = Stub()
    try:
        yield stub
    finally:
        stub.close()


def error(code: str, status: int = 400) -> Answer:
    """An error as the JSON protocols of AWS tell it."""
    return Answer(status, json.dumps({"__type": code, "message": code}).encode())


def keys(number: int, expires: float) -> Answer:
    """Keys as the endpoint tells them."""
    said = {
        "AccessKeyId": f"AKIA{number}",
        "SecretAccessKey": f"secret-{number}",
        "Token": f"token-{number}",
        "Expiration": datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "RoleArn": "arn:aws:iam::123456789012:role/duolingo-api-prod",
    }
    return Answer(200, json.dumps(said).encode(), {"Content-Type": "application/json"})

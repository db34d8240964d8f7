"""An HTTP answer that is made once and given many times."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

_STATUS: Final = {
    status: f"{status} {HTTPStatus(status).phrase}"
    for status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.SERVICE_UNAVAILABLE)
}


class Answer:
    """Status, headers and JSON body, encoded beforehand.

    Args:
        status: The HTTP status.
        body: What the body says.
        headers: Headers besides those that every answer has.

    Attributes:
        status: The status line's code and phrase.
        headers: All headers; a server may change its list, so that it needs one of its own.
        content: The body.
    """

    __slots__ = ("content", "headers", "status")

    def __init__(self, status: int, body: Mapping[str, Any], *headers: tuple[str, str]) -> None:
        self.status = _STATUS[HTTPStatus(status)]
        self.content = json.dumps(body).encode() + b"\n"
        self.headers = (
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(self.content))),
            ("Cache-Control", "no-store"),
            *headers,
        )

    def message(self) -> bytes:
        """The whole HTTP/1.1 message, after which the connection is closed."""
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in self.headers), "Connection: close"]
        return "\r\n".join([*lines, "", ""]).encode() + self.content


ALIVE: Final = Answer(200, {"status": "alive"})
STUCK: Final = Answer(503, {"status": "stuck"})
READY: Final = Answer(200, {"status": "ready"})
NOT_FOUND: Final = Answer(404, {"status": "not found"})
NOT_ALLOWED: Final = Answer(405, {"status": "method not allowed"}, ("Allow", "GET, HEAD"))

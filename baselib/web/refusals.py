"""Answers that the worker gives by itself, because the request does not reach the application."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from baselib.telemetry import metrics
from baselib.telemetry.identifiers import REQUEST_ID_HEADER, request_id_from
from baselib.telemetry.metrics.standard import REQUESTS
from baselib.web.connections import Connection
from baselib.web.http_date import http_date
from baselib.web.request_head import field, path_of

_logger = logging.getLogger("baselib.web")


def refusal(
    status: HTTPStatus,
    head: bytes | bytearray,
    detail: str,
    headers: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> bytes:
    """A whole HTTP answer with problem JSON (RFC 9457), after which the connection closes.

    Args:
        status: The status to answer with.
        head: What has arrived of the request; gives the caller's request id.
        detail: What was wrong, for a person.
        headers: Further headers.
        request_id: The id under which it has been logged; the caller's or a fresh one when None.
    """
    request_id = request_id or request_id_from(field(head, REQUEST_ID_HEADER))
    body = json.dumps(
        {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, "request_id": request_id}
    ).encode()
    lines = {
        "Date": http_date(),
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        REQUEST_ID_HEADER: request_id,
        "Connection": "close",
        **(headers or {}),
    }
    told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    answer = f"HTTP/1.1 {status.value} {status.phrase}\r\n{told}\r\n".encode()
    return answer if path_of(head)[0] == "HEAD" else answer + body


def refuse(status: HTTPStatus, connection: Connection, detail: str, reason: str | None = None) -> bytes:
    """The answer to a client's mistake, counted, and logged without anything that the client sent.

    Args:
        status: The status to answer with.
        connection: Gives what has arrived of the request.
        detail: What was wrong, for the client.
        reason: What was wrong, for the log; the detail when None.
    """
    metrics.incr(REQUESTS.name, tags={"method": "OTHER", "route": "unmatched", "status": str(status.value)})
    peer = connection.client[0] if isinstance(connection.client, tuple) else None
    _logger.info("request refused", extra={"status": status.value, "reason": reason or detail, "peer": peer})
    return refusal(status, connection.head or connection.received, detail)

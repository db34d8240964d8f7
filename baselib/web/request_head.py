"""Whether the bytes that have arrived are the head of a request, judged before a request thread is spent on it.

The limits are the load balancer's own, with room for the headers that it adds itself, so that nothing which it lets
through is refused: 16 KiB for the request line and for a header, 64 KiB for all of them
(https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html).
"""

import re
from http import HTTPStatus
from typing import Final

LONGEST_LINE_BYTES: Final = 16 << 10
LONGEST_HEAD_BYTES: Final = 80 << 10
MOST_FIELDS: Final = 1000
"""The load balancer knows no such limit; this one bounds what the trailers of a chunked body may hold."""

COMPLETE: Final = HTTPStatus.OK
"""The head is there, and is now gunicorn's to parse."""

_END: Final = b"\r\n\r\n"
# A control character or a bare line feed: the head will never be a valid one, so nobody needs to wait for its end.
_IMPOSSIBLE: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n")


def judge(received: bytes | bytearray, known: int = 0) -> HTTPStatus | None:
    r"""What to do with what has arrived: None to wait for more, `COMPLETE`, or the status to refuse it with.

    Args:
        received: All bytes since the last request.
        known: How many of them an earlier call has already found to be incomplete.

    >>> judge(b"GET / HTTP/1.1")
    >>> judge(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n") is COMPLETE
    True
    >>> judge(b"GET / HTTP/1.1\n")
    <HTTPStatus.BAD_REQUEST: 400>
    """
    end = received.find(_END, max(known - 3, 0))
    if 0 <= end <= LONGEST_LINE_BYTES:
        return COMPLETE
    size = end if end >= 0 else len(received)
    # One empty line before the request line is allowed: https://www.rfc-editor.org/rfc/rfc9112#section-2.2
    line = received.find(b"\r\n", 2)
    if (line if line >= 0 else size) > LONGEST_LINE_BYTES:
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if size > LONGEST_HEAD_BYTES:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    if end >= 0:
        return COMPLETE
    return HTTPStatus.BAD_REQUEST if _IMPOSSIBLE.search(received, max(known - 1, 0)) else None


def field(head: bytes | bytearray, name: str) -> str | None:
    """The value of a header, read without parsing the whole head; None when it is not there.

    Args:
        head: A complete head.
        name: The header's name, in any case: behind HTTP/2 all names are lower-case.
    """
    found = re.search(
        rb"\r\n" + re.escape(name.encode()) + rb":[ \t]*([^\r\n]*)", head[: head.find(_END)], re.IGNORECASE
    )
    return found.group(1).strip().decode("latin-1") if found else None


def path_of(head: bytes | bytearray) -> tuple[str, str]:
    """The method and the path, without the query."""
    method, _, rest = bytes(head[:LONGEST_LINE_BYTES]).lstrip(b"\r\n").partition(b" ")
    return method.decode("latin-1"), re.split(rb"[ ?]", rest, maxsplit=1)[0].decode("latin-1")

"""Clients that send or read so slowly that they would hold a request thread for ever.

The rules are those of Apache's mod_reqtimeout (https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html): some seconds
are free, and each further one must be paid for with 500 bytes. Only the time in which the service waits for the client
counts, so that an application may take as long as it likes over a body or an answer.
"""

import contextlib
import errno
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any, Final

from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.message import Request
from gunicorn.http.unreader import SocketUnreader
from werkzeug.exceptions import BadRequest, RequestTimeout

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import SLOW_CLIENTS

HEADER_SECONDS: Final = 10.0
"""How long a head may take from its first byte to its last."""

_FREE_SECONDS: Final = 10
_LEAST_BYTES_PER_SECOND: Final = 500
_BLOCKED: Final = struct.pack("ll", _FREE_SECONDS, 0)
# Plain numbers: to join two of Python's flags costs as much as the call.
_AT_ONCE: Final = int(socket.MSG_DONTWAIT)
_LOOK: Final = int(socket.MSG_PEEK | socket.MSG_DONTWAIT)
_LONGEST_TRAILERS_BYTES: Final = 8 << 10


class ClientTooSlowError(ConnectionResetError):
    """A client is slower than the least rate; gunicorn takes it for one that has gone."""

    def __init__(self, part: str) -> None:
        super().__init__(errno.ECONNRESET, "the client is too slow")
        metrics.incr(SLOW_CLIENTS.name, tags={"part": part})


class _Pace:
    """How long one request has waited for its client, and what it got for it."""

    __slots__ = ("bytes", "part", "waited")

    def __init__(self, part: str) -> None:
        self.part = part
        self.restart()

    def restart(self) -> None:
        self.waited, self.bytes = 0.0, 0

    def add(self, started: float, size: int) -> None:
        self.waited += time.monotonic() - started
        self.bytes += size
        if self.waited > _FREE_SECONDS + self.bytes / _LEAST_BYTES_PER_SECOND:
            raise ClientTooSlowError(self.part)


class ClientSocket(socket.socket):
    """The socket of a client, on which no call blocks for longer than the free seconds and no answer takes for ever."""

    def __init__(self, accepted: socket.socket) -> None:
        family, kind, protocol = accepted.family, accepted.type, accepted.proto
        super().__init__(family, kind, protocol, accepted.detach())
        # The kernel's own time limits cost nothing per call, unlike Python's.
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _BLOCKED)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _BLOCKED)
        self._pace = _Pace("response")
        # The request threads, and the connection that one of them runs; set by it.
        self.holder: Any = None
        self._is_cut = False

    def cut(self) -> None:
        """Wait for this client no longer."""
        self._is_cut = True
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def waiting(self, part: str) -> Iterator[None]:
        """While this thread waits for the client, another one takes its place."""
        threads, connection = self.holder
        threads.hold(connection)
        started = time.monotonic()
        try:
            yield
        finally:
            threads.release(connection)
            connection.waited += time.monotonic() - started
            if self._is_cut:
                raise ClientTooSlowError(part)

    def restart(self) -> None:
        """The next answer begins."""
        self._pace.restart()

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send everything, as long as the client reads at the least rate."""
        sent = self._send_some(data, flags)
        if sent < len(data):
            rest = memoryview(data)[sent:]
            while rest:
                rest = rest[self._send_some(rest, flags) :]

    def _send_some(self, data: Any, flags: int) -> int:
        started = time.monotonic()
        try:
            sent = self.send(data, flags | _AT_ONCE)
        except BlockingIOError:
            try:
                with self.waiting("response"):
                    sent = self.send(data, flags)
            except BlockingIOError:
                raise ClientTooSlowError("response") from None
        self._pace.add(started, sent)
        return sent


class ClientReader(SocketUnreader):  # type: ignore[misc]
    """What gunicorn reads a body from; the head has been put into it before.

    Args:
        client: The client's socket.
    """

    def __init__(self, client: ClientSocket) -> None:
        super().__init__(client)
        self._pace = _Pace("body")

    def restart(self, received: bytes) -> None:
        """The next request begins.

        Args:
            received: Its head, and what has arrived of its body.
        """
        self._pace.restart()
        self.unread(received)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """More of the body."""
        started = time.monotonic()
        try:
            try:
                self.sock.recv(1, _LOOK)
            except BlockingIOError:
                with self.sock.waiting("body"):
                    data: bytes = super().chunk(size_hint)
            else:
                data = super().chunk(size_hint)
        except BlockingIOError:
            raise ClientTooSlowError("body") from None
        if not data:
            # gunicorn would hand the application the part that has arrived as if it were the whole.
            raise NoMoreData
        self._pace.add(started, len(data))
        return data


class _BodyReader:
    """Turns a client's failure to send its body into the HTTP answer to it, which Flask gives by itself."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._reader = request.body.reader

    def read(self, size: int) -> bytes:
        try:
            return bytes(self._reader.read(size))
        except TimeoutError:
            # gunicorn's own, while it skips a body that nobody has read.
            raise
        except ClientTooSlowError as error:
            self._request.force_close()
            raise RequestTimeout("the body was sent too slowly") from error
        except (OSError, ParseException) as error:
            self._request.force_close()
            raise BadRequest("the body is malformed or incomplete") from error


def guard_body(request: Request) -> None:
    """Answer 408 or 400 when a request's body comes too slowly, is malformed or ends early.

    Args:
        request: What gunicorn has parsed.
    """
    body: Body = request.body
    if isinstance(body.reader, ChunkedReader):
        body.reader.limit_trailer_section = _LONGEST_TRAILERS_BYTES
    elif body.reader.length == 0:
        return
    body.reader = _BodyReader(request)

"""One exchange of a request for a response, over connections that are kept; the only module that imports urllib3."""

import http.client
import math
import socket
import ssl
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from baselib.http.errors import (
    BadBodyError,
    CallTimeoutError,
    ConnectFailedError,
    DependencyError,
    UnavailableError,
)
from baselib.http.request import Address, Request
from baselib.http.response import Response
from baselib.http.sockets import BoundedSocket, BoundedTlsSocket, connected

CONNECT_SECONDS: Final = 1.0
"""For the look-up of the name, TCP and TLS together; inside a VPC they take milliseconds."""

MAXIMUM_BODY_BYTES: Final = 16 * 1024 * 1024

# Half of the load balancer's 60 s: what it is about to close is not used again.
_IDLE_SECONDS: Final = 30.0
_PIECE_BYTES: Final = 64 * 1024
_FAILURES: Final = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, ValueError)

if TYPE_CHECKING:
    _Base = HTTPConnection
else:
    _Base = object


class _Connecting(_Base):
    """How urllib3's connections get their sockets, and forget what they were asked for."""

    connect_by = math.inf

    def _new_conn(self) -> socket.socket:
        return connected(self._dns_host, self.port or 0, self.connect_by)

    def getresponse(self) -> Any:
        # It would log the address, query string and all, where a header cannot be parsed.
        if self._response_options is not None:
            self._response_options = self._response_options._replace(request_url="")
        return super().getresponse()


class _HttpConnection(_Connecting, HTTPConnection):
    pass


class _HttpsConnection(_Connecting, HTTPSConnection):
    pass


class Transport:
    """Connections to one dependency: no proxies, no redirects, certificates verified.

    Args:
        dependency: The other service's name.
        address: Where it answers.
        connections: How many are kept at most when they are idle.
    """

    def __init__(self, dependency: str, address: Address, connections: int) -> None:
        self._dependency = dependency
        self._address = address
        self._context: ssl.SSLContext | None = None
        if address.https:
            self._context = ssl.create_default_context()
            self._context.sslsocket_class = BoundedTlsSocket
        self._idle: deque[tuple[HTTPConnection, float]] = deque(maxlen=connections)

    def exchange(self, request: Request, headers: dict[str, str], deadline: float) -> Response:
        """Send a request and read the whole answer.

        Args:
            request: What is sent.
            headers: Its header fields and those of this attempt.
            deadline: When it gives up, on the clock of `time.monotonic`.

        Raises:
            ConnectFailedError: No connection came about.
            CallTimeoutError: The deadline passed.
            UnavailableError: The connection broke, or the answer was not HTTP.
            BadBodyError: The body is larger than `MAXIMUM_BODY_BYTES`.
        """
        kept = self._take()
        if kept is not None:
            try:
                return self._over(kept, request, headers, deadline)
            except UnavailableError as error:
                # The other side closed it while it was idle, which a client cannot always know before it sends
                # (RFC 9112, section 9.3.1).
                if error.answered or (error.sent and not request.idempotent):
                    raise
        return self._over(self._open(deadline), request, headers, deadline)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop()[0].close()

    def _take(self) -> HTTPConnection | None:
        """The connection that was used last and is still good."""
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - since < _IDLE_SECONDS and connection.is_connected:
                return connection
            connection.close()

    def _open(self, deadline: float) -> HTTPConnection:
        address = self._address
        if self._context is None:
            connection: Any = _HttpConnection(address.host, address.port)
        else:
            connection = _HttpsConnection(address.host, address.port, ssl_context=self._context)
        connection.connect_by = min(deadline, time.monotonic() + CONNECT_SECONDS)
        try:
            connection.connect()
        except _FAILURES as error:
            connection.close()
            raise ConnectFailedError(self._dependency, _why_not_connected(error)) from error
        except BaseException:
            connection.close()
            raise
        opened: HTTPConnection = connection
        return opened

    def _over(self, connection: HTTPConnection, request: Request, headers: dict[str, str], deadline: float) -> Response:
        # It is gone from the connection as soon as the answer says that no other will follow.
        used: Any = connection.sock
        used.deadline, used.sent, used.received = deadline, 0, 0
        try:
            _send(connection, used, self._address.prefix, request, headers)
            response = connection.getresponse()
            content = self._read(response)
        except BaseException as error:
            connection.close()
            used.abandon()
            if isinstance(error, _FAILURES):
                raise self._failure(error, used) from (error if isinstance(error, OSError) else None)
            raise
        if connection.sock is not None:
            self._keep(connection)
        return Response(self._dependency, response.status, response.headers, content)

    def _keep(self, connection: HTTPConnection) -> None:
        if len(self._idle) == self._idle.maxlen:
            connection.close()
        else:
            self._idle.append((connection, time.monotonic()))

    def _read(self, response: Any) -> bytes:
        if response.status < 200:
            raise http.client.BadStatusLine("an interim answer that nobody asked for")
        pieces: list[bytes] = []
        # What it says comes first: nobody reads 16 MiB in order to refuse the seventeenth.
        size = 0 if (response.length_remaining or 0) <= MAXIMUM_BODY_BYTES else math.inf
        while size <= MAXIMUM_BODY_BYTES:
            piece = response.read(_PIECE_BYTES)
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
        raise BadBodyError(
            self._dependency, f"answered with more than {MAXIMUM_BODY_BYTES} bytes", sent=True, answered=True
        )

    def _failure(self, error: Exception, used: BoundedSocket | BoundedTlsSocket) -> DependencyError:
        sent, answered = used.sent > 0, used.received > 0
        if isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
            return CallTimeoutError(self._dependency, "did not answer in time", sent=sent, answered=answered)
        # The text of a protocol's error quotes the other side, which may quote the request.
        what = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        return UnavailableError(self._dependency, f"broke off ({what})", sent=sent, answered=answered)


def _send(connection: HTTPConnection, used: Any, prefix: str, request: Request, headers: dict[str, str]) -> None:
    try:
        connection.request(request.method, prefix + request.target, request.body, headers, preload_content=False)
    except (BrokenPipeError, ConnectionResetError):
        # Who refuses a large body answers and closes before it has read all of it.
        if not used.sent:
            raise


def _why_not_connected(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"its name could not be resolved ({error.strerror})"
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    what = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return f"no connection ({what})"

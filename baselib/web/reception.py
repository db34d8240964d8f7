"""The connections of a worker while no request thread has to do with them: the main thread waits for their clients."""

import contextlib
import resource
import selectors
import socket
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from gunicorn.config import Config

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import SLOW_CLIENTS
from baselib.web.connections import Connection, Room
from baselib.web.refusals import refuse
from baselib.web.request_head import COMPLETE, judge
from baselib.web.slow_clients import HEADER_SECONDS, ClientSocket

_READ_BYTES: Final = 16 << 10
# A connection that has just been accepted is about to carry a request; later a silent one occupies no place.
_FRESH_SECONDS: Final = 0.1
_LINGER_SECONDS: Final = 2.0
_MOST_DRAINED_BYTES: Final = 1 << 20
_MOST_CONNECTIONS: Final = 1000
_MOST_HEAD_BYTES: Final = 8 << 20


class Reception:
    """Reads the heads of requests, and lets go of clients that do not finish theirs.

    Args:
        cfg: gunicorn's configuration.
        poller: Tells when a client has sent something.
        dispatch: Takes a connection whose next request has a complete head, in `received`.

    Attributes:
        idle: The connections that are kept alive between two requests.
        open: How many connections there are, also those that wait for or have a request thread.
        occupied: How many of them count when the worker decides whether it takes another: not those whose client is
            silent or slow, or they would keep all others out.
    """

    def __init__(self, cfg: Config, poller: selectors.BaseSelector, dispatch: Callable[[Connection], None]) -> None:
        self.idle = Room(cfg.keepalive)
        self._silent = Room(cfg.keepalive)
        self._partial = Room(HEADER_SECONDS)
        self._lingering = Room(_LINGER_SECONDS)
        # Those that are missed least come first. Whoever is in a room is in the poller, and nobody else.
        self._rooms = (self._lingering, self._silent, self._partial, self.idle)
        self._fresh: dict[Connection, float] = {}
        self._most = min(_MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._cfg = cfg
        self._poller = poller
        self._dispatch = dispatch
        self.open = self.occupied = 0

    @property
    def restless(self) -> bool:
        """Whether something will have to be done soon, even if nobody sends anything."""
        return bool(self._fresh)

    def admit(self, accepted: socket.socket, client: Any, server: Any) -> None:
        """Receive a new client."""
        connection = Connection(self._cfg, ClientSocket(accepted), client, server)
        connection.readable = partial(self._readable, connection)
        self.open += 1
        self.occupied += 1
        self._readable(connection)
        if connection.room is self._silent or connection.room is self._partial:
            self._fresh[connection] = time.monotonic() + _FRESH_SECONDS

    def keep(self, connection: Connection) -> None:
        """Wait for the next request after one that has been answered."""
        try:
            connection.sock.setblocking(False)
            if following := connection.parser.unreader.take_buffered():
                # The client did not wait for the answer before it sent the next request.
                self._received(connection, following)
            else:
                self._wait(connection, self.idle)
        except (OSError, ValueError):
            self.close(connection)

    def answer(self, connection: Connection, answer: bytes) -> None:
        """Give the last answer on a connection that no request thread has."""
        connection.received = b""
        with contextlib.suppress(OSError):
            connection.sock.send(answer)
        self.linger(connection)

    def linger(self, connection: Connection) -> None:
        """Close once the client has: with something unread, the answer could be lost (RFC 9112, section 9.6).

        gunicorn's own worker does nothing else meanwhile, for up to two seconds.
        """
        self.occupy(connection, occupies=False)
        try:
            connection.sock.setblocking(False)
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.close(connection)
            return
        self._wait(connection, self._lingering)
        self._readable(connection)

    def close(self, connection: Connection) -> None:
        """Close at once."""
        self._take(connection)
        self.occupy(connection, occupies=False)
        self.open -= 1
        connection.close()

    def occupy(self, connection: Connection, *, occupies: bool) -> None:
        """Count a connection among those that occupy a place, or do not any more."""
        if connection.counted is not occupies:
            connection.counted = occupies
            self.occupied += 1 if occupies else -1

    def make_room(self, *, least: bool = False) -> bool:
        """Close the connection that is missed least if there are too many; False when all of them have a request.

        Args:
            least: Close one in any case.
        """
        if self.open < self._most and not least:
            return True
        for connection in (connection for room in self._rooms for connection in room):
            self.close(connection)
            return True
        return False

    def tick(self, now: float) -> None:
        """Let go of those who have waited long enough.

        Args:
            now: The time on the clock of `time.monotonic`.
        """
        for connection in self._partial.late(now):
            self._refuse_slow(connection)
        while sum(len(connection.received) for connection in self._partial) > _MOST_HEAD_BYTES:
            self._refuse_slow(next(iter(self._partial)))
        for room in (self._lingering, self._silent, self.idle):
            for connection in room.late(now):
                self.close(connection)
        for connection, until in list(self._fresh.items()):
            if until > now:
                break
            del self._fresh[connection]
            if connection.room is self._silent or connection.room is self._partial:
                self.occupy(connection, occupies=False)

    def stop(self, seconds: float) -> None:
        """The worker stops: wait no longer than this for a client that has not begun with a request."""
        self.idle.shorten(seconds)
        self._silent.shorten(seconds)

    def close_all(self) -> None:
        """Close every connection that no request thread has."""
        for connection in [connection for room in self._rooms for connection in room]:
            self.close(connection)

    def _readable(self, connection: Connection, _: Any = None) -> None:
        try:
            data = connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            if connection.room is None:
                self._wait(connection, self._silent)
            return
        except OSError:
            data = b""
        if not data:
            self.close(connection)
        elif connection.room is self._lingering:
            connection.drained += len(data)
            if connection.drained > _MOST_DRAINED_BYTES:
                self.close(connection)
        else:
            self._received(connection, data)

    def _received(self, connection: Connection, data: bytes) -> None:
        known = len(connection.received)
        connection.append(data)
        verdict = judge(connection.received, known)
        if verdict is COMPLETE:
            self._take(connection)
            self._dispatch(connection)
        elif verdict is not None:
            self.answer(connection, refuse(verdict, connection, verdict.phrase.lower()))
        elif connection.room is not self._partial:
            self._wait(connection, self._partial)
            if connection not in self._fresh:
                self.occupy(connection, occupies=False)

    def _refuse_slow(self, connection: Connection) -> None:
        metrics.incr(SLOW_CLIENTS.name, tags={"part": "header"})
        detail = "the head of the request was sent too slowly"
        self.answer(connection, refuse(HTTPStatus.REQUEST_TIMEOUT, connection, detail))

    def _wait(self, connection: Connection, room: Room) -> None:
        if connection.leave() is None:
            self._poller.register(connection.sock, selectors.EVENT_READ, connection.readable)
        room.admit(connection)

    def _take(self, connection: Connection) -> None:
        if connection.leave() is not None:
            self._poller.unregister(connection.sock)

"""A client's connection, and the rooms in which connections wait for their clients."""

import itertools
import time
from typing import TYPE_CHECKING, Any

from gunicorn import http
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from baselib.web.slow_clients import ClientReader, ClientSocket

if TYPE_CHECKING:
    from collections.abc import Callable


class Connection(TConn):  # type: ignore[misc]
    """gunicorn's connection, whose head is read before a request thread has to do with it.

    Attributes:
        received: What has arrived of the next request.
        head: What had arrived of the request that runs, when a thread took it.
        room: Where it waits for its client; None while a request of it is waiting or running.
        drained: Bytes thrown away since its last answer, which closes it.
        counted: Whether it occupies one of the worker's places.
        queued: When its request was complete, on the clock of `time.monotonic`.
        budget: Seconds that its request may wait for a thread.
        started: When a request thread took it.
        waited: Seconds that its thread has waited for the client.
        response: gunicorn's response to the request that runs.
        environ: The WSGI environment of the request that runs.
        reported: Whether its request has been reported as hung.
        readable: Called by the poller when something has arrived.
    """

    def __init__(self, cfg: Config, sock: ClientSocket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.received: bytes | bytearray = b""
        self.head: bytes | bytearray = b""
        self.drained = 0
        self.room: Room | None = None
        self.counted = True
        self.queued = self.budget = self.started = self.waited = 0.0
        self.environ: dict[str, Any] = {}
        self.response: Any = None
        self.reported = False
        self.readable: Callable[[Any], None] = lambda _: None

    initialized: bool

    def init(self) -> None:
        """Make the parser; the load balancer ends TLS, so there is nothing to negotiate."""
        if not self.initialized:
            self.initialized = self.data_ready = True
            self.parser = http.get_parser(self.cfg, self.sock, self.client)
            self.parser.unreader = ClientReader(self.sock)

    def append(self, data: bytes) -> None:
        """More has arrived of the next request."""
        if not self.received:
            self.received = data
            return
        if isinstance(self.received, bytes):
            # Grows in place, or a head that comes byte by byte would be copied as often.
            self.received = bytearray(self.received)
        self.received += data

    def hand_over(self) -> None:
        """Let gunicorn's parser have what has arrived; called in the request thread."""
        self.init()
        self.head, self.received = self.received, b""
        self.parser.unreader.restart(bytes(self.head))
        self.sock.restart()

    def leave(self) -> "Room | None":
        """Leave the room, if it is in one, and say which it was."""
        room = self.room
        if room is not None:
            del room[self]
            self.room = None
        return room


class Room(dict[Connection, float]):
    """Connections that wait for their clients, and until when; the first one to give up comes first.

    Args:
        seconds: How long each may wait.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def admit(self, connection: Connection) -> None:
        """Let a connection wait that is in no room."""
        connection.room = self
        self[connection] = time.monotonic() + self._seconds

    def late(self, now: float) -> list[Connection]:
        """Those that have waited long enough."""
        return list(itertools.takewhile(lambda connection: self[connection] <= now, self))

    def shorten(self, seconds: float) -> None:
        """Let nobody wait for longer than this from now on, neither those that are here nor those that come."""
        self._seconds = min(self._seconds, seconds)
        latest = time.monotonic() + self._seconds
        for connection, until in self.items():
            self[connection] = min(until, latest)

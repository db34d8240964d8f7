"""gunicorn's gthread worker, which answers liveness and readiness also while every request thread is busy.

A request normally passes through the pool of request threads, so that a health check would wait behind the requests
that keep them busy, and the container would be killed for being popular. While the pool is busy the main thread looks
at what a connection asks before it queues it, and answers the two endpoints by itself.
"""

import contextlib
import select
import selectors
import socket
import time
from functools import partial
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

from baselib.health import HealthEndpoints

_LONGEST_HEAD_BYTES: Final = 4096
# How long a listener may have a connection waiting that no other worker takes, before a full worker looks at it.
_PATIENCE_SECONDS: Final = 0.1
_BUSY_POLL_SECONDS: Final = 0.1
_ACCEPTED_AT_ONCE: Final = 64


class HealthFirstThreadWorker(ThreadWorker):  # type: ignore[misc]
    """A gthread worker whose health endpoints do not wait for a request thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._queued = 0
        self._waiting_since: float | None = None

    @property
    def _busy(self) -> bool:
        return bool(self._queued >= self.cfg.threads)

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection to the pool, unless it is busy and the connection asks for an answer that is known."""
        if self._busy:
            request = _peek(conn.sock)
            if request is None:
                # Nothing has arrived yet: decided when it has.
                self._await_data(conn)
                return
            answer = self._known_answer(request)
            if answer is not None:
                self._answer(conn, len(request), answer)
                return
        self._queued += 1
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """A request thread is free again."""
        self._queued -= 1
        super().finish_request(conn, fs)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait as gunicorn does; while the worker is full, also look at what no other worker takes."""
        super().wait_for_and_dispatch_events(min(timeout, _BUSY_POLL_SECONDS) if self._busy else timeout)
        if self._accepting or not self.alive:
            self._waiting_since = None
            return
        waiting = select.select(self.sockets, [], [], 0)[0]
        if not waiting:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = time.monotonic()
        elif time.monotonic() - self._waiting_since >= _PATIENCE_SECONDS:
            for _ in range(_ACCEPTED_AT_ONCE):
                self.accept(waiting[0])
                if not select.select(waiting[:1], [], [], 0)[0]:
                    break

    def _await_data(self, conn: TConn) -> None:
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._data_arrived, conn))

    def _data_arrived(self, conn: TConn, client: socket.socket) -> None:
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        client.setblocking(True)
        self.enqueue_req(conn)

    def _known_answer(self, request: bytes) -> bytes | None:
        endpoints = getattr(self.wsgi, "wsgi_app", None)
        if not isinstance(endpoints, HealthEndpoints):
            return None
        method, _, rest = request.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        return endpoints.immediate(path.decode("latin-1")) if method == b"GET" else None

    def _answer(self, conn: TConn, size: int, answer: bytes) -> None:
        with contextlib.suppress(OSError):
            # What is left unread would turn the close into a reset.
            conn.sock.recv(size)
            conn.sock.setblocking(False)
            conn.sock.send(answer)
            conn.sock.shutdown(socket.SHUT_WR)
        self.nr_conns -= 1
        conn.close()


def _peek(connection: socket.socket) -> bytes | None:
    """The head of the request that waits; empty when it is not complete, None when nothing has arrived."""
    try:
        found = connection.recv(_LONGEST_HEAD_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""
    return found if found.endswith(b"\r\n\r\n") else b""

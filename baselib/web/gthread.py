"""gunicorn's gthread worker, in which clients that are silent or slow keep nobody waiting.

The main thread reads the head of each request, so that a client holds no thread before it has said what it wants; it
answers liveness by itself, and readiness while every request thread is busy; and it refuses what can no longer be
answered in time.
"""

import contextlib
import errno
import logging
import math
import re
import select
import selectors
import threading
import time
from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import gunicorn.util
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker
from werkzeug.exceptions import BadRequest, HTTPException

from baselib.contract.endpoints import LIVE
from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import REQUEST_QUEUE_TIME
from baselib.telemetry.span import activate, deactivate
from baselib.web.board import Board
from baselib.web.connections import Connection
from baselib.web.http_date import http_date
from baselib.web.parse_errors import status_of
from baselib.web.reception import Reception
from baselib.web.refusals import refusal, refuse
from baselib.web.request_head import field, path_of
from baselib.web.request_threads import RequestThreads
from baselib.web.requests import QUEUED_KEY, SPAN_KEY
from baselib.web.shedding import Shedding
from baselib.web.slow_clients import guard_body
from baselib.web.watchdog import Watchdog

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from baselib.health import HealthEndpoints

_HEALTH: Final = (b"GET /healthz/", b"HEAD /healthz/")
_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]{0,5})?")
# How long a full worker leaves a new connection to the others before it takes it all the same.
_PATIENCE_SECONDS: Final = 0.02
_ACCEPTED_AT_ONCE: Final = 64
_BUSY_POLL_SECONDS: Final = 0.1
_IDLE_POLL_SECONDS: Final = 1.0
_QUEUE_TIME_EVERY: Final = 10

_logger = logging.getLogger("baselib.web")


class HealthFirstThreadWorker(ThreadWorker):  # type: ignore[misc]
    """A gthread worker that spends its request threads on requests whose head is complete.

    Attributes:
        request_seconds: The time budget of a request; set before the fork, as are the next two.
        board: Where the number of requests in flight is written; None for nowhere.
        slot: The worker's place on the board.
    """

    request_seconds = 60.0
    board: Board | None = None
    slot: int | None = None
    wsgi: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_flight = self._answered = 0
        self._given_up = False
        self._host: list[str] = ["localhost"]
        self._patient_until = self._next_tick = self._next_second = 0.0

    @classmethod
    def check_config(cls, cfg: Config, log: Any) -> None:
        """Refuse what this worker does not do.

        Raises:
            RuntimeError: TLS is configured.
        """
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise RuntimeError("the load balancer ends TLS: certfile and keyfile cannot be used")

    def get_thread_pool(self) -> RequestThreads:
        """The request threads; they start when the application is loaded."""
        return RequestThreads(self.cfg.threads, self.handle, partial(self.method_queue.defer, self._finished))

    def load_wsgi(self) -> None:
        """Load the application, and put the worker's notes between it and gunicorn."""
        super().load_wsgi()
        gunicorn.util.http_date = http_date
        self._application: Any = self.wsgi
        self.wsgi = self._serve
        self._endpoints: HealthEndpoints | None = getattr(self._application, "extensions", {}).get("baselib.health")
        if self._endpoints is not None:
            self._endpoints.start()
        self._reception = Reception(self.cfg, self.poller, self._dispatch)
        # gunicorn counts them, and announces the end of a connection when there are too many.
        self.keepalived_conns = self._reception.idle
        self._shedding = Shedding(self.cfg.threads, self.request_seconds)
        self._watchdog = Watchdog(self.tpool, self.request_seconds)
        self.tpool.start()

    # The main thread's loop.

    def run(self) -> None:
        """Serve until told to stop, then finish what is in flight."""
        self.poller.register(self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks)
        self.set_accept_enabled(True)
        while self.alive:
            if not self._accepting and time.monotonic() >= self._patient_until:
                self._accept_what_nobody_took()
            self._turn()
        self.set_accept_enabled(False)
        now = time.monotonic()
        # Whoever has just connected, or kept a connection alive, may be sending a request at this moment.
        self._reception.stop(STOP_KEEPALIVE_LINGER)
        while self._reception.open > self._hung() and time.monotonic() < now + self.cfg.graceful_timeout:
            self._turn()
        self._reception.close_all()
        self.tpool.shutdown(wait=False)
        self.poller.close()
        # The queue's pipe stays open: a request that ends late would write to whatever had its number by then.
        for listener in self.sockets:
            listener.close()

    def _turn(self) -> None:
        if self.alive and not self._accepting:
            seconds = _PATIENCE_SECONDS
        elif not self.alive or self._reception.restless or self._in_flight > self.cfg.threads:
            seconds = _BUSY_POLL_SECONDS
        else:
            seconds = _IDLE_POLL_SECONDS
        self.wait_for_and_dispatch_events(seconds)
        now = time.monotonic()
        if now >= self._next_tick:
            self._next_tick = now + _BUSY_POLL_SECONDS
            self._tick(now)

    def _tick(self, now: float) -> None:
        self._reception.tick(now)
        for connection in self._shedding.late(list(self.tpool.waiting), now):
            if self.tpool.withdraw(connection):
                self._count_in_flight(-1)
                self._shed(connection, "waited")
        if now >= self._next_second:
            self._next_second = now + _IDLE_POLL_SECONDS
            self.notify()
            self._watchdog.look(now)
            if not self.is_parent_alive():
                self.alive = False
            elif self.alive and self._watchdog.given_up(now):
                self.alive, self._given_up = False, True

    def _hung(self) -> int:
        """How many connections are not worth waiting for."""
        return len(self.tpool.running) if self._given_up else 0

    # Connections.

    def accept(self, listener: Any) -> None:
        """Take a new connection; a worker that is full first leaves it to the others for a moment."""
        if self._reception.occupied >= self.cfg.worker_connections:
            self._be_patient()
        else:
            self._accept(listener)

    def _be_patient(self) -> None:
        self.set_accept_enabled(False)
        self._patient_until = time.monotonic() + _PATIENCE_SECONDS

    def _accept_what_nobody_took(self) -> None:
        self.set_accept_enabled(True)
        for _ in range(_ACCEPTED_AT_ONCE):
            waiting = select.select(self.sockets, [], [], 0)[0]
            for listener in waiting:
                self._accept(listener)
            if not waiting or not self._accepting:
                break

    def _accept(self, listener: Any) -> None:
        if not self._reception.make_room():
            self._be_patient()
            return
        try:
            accepted, client = listener.accept()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE}:
                self._reception.make_room(least=True)
                self._be_patient()
            elif error.errno not in {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED}:
                raise
            return
        self._reception.admit(accepted, client, listener.getsockname())

    def _dispatch(self, connection: Connection) -> None:
        """A request has come: answer it here, refuse it, or let a request thread have it."""
        head = connection.received
        connection.budget = math.inf
        if head.startswith(_HEALTH):
            answer = self._known_answer(head)
            if answer is not None:
                self._reception.answer(connection, answer)
                return
        elif self._in_flight - len(self.tpool.held) >= self.cfg.threads:
            connection.budget = self._shedding.budget(head)
            if self._shedding.wait(len(self.tpool.waiting)) > connection.budget:
                self._shed(connection, "predicted")
                return
        self._reception.occupy(connection, occupies=True)
        connection.queued = time.monotonic()
        self._count_in_flight(1)
        self.tpool.submit(connection)

    def _known_answer(self, head: bytes | bytearray) -> bytes | None:
        """The answer to a health question that needs no request thread, None for others."""
        endpoints = self._endpoints
        if endpoints is None:
            return None
        if field(head, "Content-Length") or field(head, "Transfer-Encoding"):
            return None
        method, path = path_of(head)
        # A thread that is free may wait for the first results of a worker that has just begun; the main thread may not.
        busy = self._in_flight - len(self.tpool.held) >= self.cfg.threads
        answer = endpoints.immediate(path) if path == LIVE or busy else None
        # A HEAD is answered with the headers alone.
        return answer[: answer.find(b"\r\n\r\n") + 4] if answer and method == "HEAD" else answer

    def _shed(self, connection: Connection, reason: str) -> None:
        answer = self._shedding.refuse(reason, connection.received, len(self.tpool.waiting))
        self._reception.answer(connection, answer)

    def _finished(self, connection: Connection, again: bool) -> None:
        """A request thread is done with a connection."""
        self._count_in_flight(-1)
        self._shedding.note(time.monotonic() - connection.started - connection.waited)
        connection.waited = 0.0
        self._answered += 1
        if self._answered % _QUEUE_TIME_EVERY == 0:
            metrics.timing(REQUEST_QUEUE_TIME.name, (connection.started - connection.queued) * 1000)
        if again:
            self._reception.keep(connection)
        else:
            self._reception.linger(connection)

    def _count_in_flight(self, change: int) -> None:
        self._in_flight += change
        if self.board is not None and self.slot is not None:
            self.board.write(self.slot, self._in_flight)

    # The request threads.

    def _serve(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        connection = self.tpool.running[threading.get_ident()]
        connection.environ = environ
        # gunicorn hands over a method of its response.
        connection.response = start_response.__self__  # type: ignore[attr-defined]
        environ[QUEUED_KEY] = connection.queued
        try:
            return self._application(environ, start_response)  # type: ignore[no-any-return]
        except (Exception, SystemExit):
            raise
        except BaseException as error:
            # KeyboardInterrupt and the like: gunicorn would close the connection without an answer.
            raise RuntimeError(f"the application raised {type(error).__name__}") from error

    def handle(self, conn: Connection) -> bool:
        """Answer the request of a connection; says whether another one may follow."""
        try:
            return bool(super().handle(conn))
        except SystemExit as error:
            # Of the application's: it means to end the thread, which would leave the worker one short.
            self.handle_error(None, conn.sock, conn.client, error)
            return False

    def handle_request(self, req: Request, conn: Connection) -> bool:
        """Answer a request, whose body is read at the client's own risk."""
        # https://www.rfc-editor.org/rfc/rfc9112#section-3.2
        hosts = [value for name, value in req.headers if name == "HOST"]
        if hosts != self._host:
            if (len(hosts) != 1 and req.version >= (1, 1)) or not all(map(_HOST.fullmatch, hosts)):
                raise BadRequest("the Host header is missing, malformed or there twice")
            if hosts:
                # Mostly the next request's as well.
                self._host = hosts
        guard_body(req)
        return bool(super().handle_request(req, conn))

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Whether another request can follow; what is left of the body must be read before."""
        response = conn.response
        if not keepalive or (
            # The client takes what follows for the rest of this answer.
            response.response_length is not None
            and response.sent < response.response_length
            and not response._omits_body
        ):
            return False
        if getattr(conn.parser.mesg.body.reader, "length", None) == 0:
            return True
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except HTTPException:
            return False

    def handle_error(self, req: Request | None, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that gunicorn could not parse, or whose application failed in front of Flask."""
        connection = self.tpool.running[threading.get_ident()]
        status = status_of(exc)
        span = connection.environ.get(SPAN_KEY)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            activate(span)
            _logger.error("request failed", exc_info=exc)
            deactivate()
        if span is None:
            answer = refuse(status, connection, status.phrase.lower(), type(exc).__name__)
        else:
            # It has been counted and logged when its span ended.
            answer = refusal(status, connection.head, status.phrase.lower(), request_id=span.request_id)
        with contextlib.suppress(OSError):
            client.sendall(answer)

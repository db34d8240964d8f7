"""What protects this service from another one that it calls, in the order in which a call meets it."""

import logging
import math
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from baselib.concurrency import renew_after_fork
from baselib.http.breaker import CircuitBreaker, State
from baselib.http.bulkhead import WAIT_SECONDS, Bulkhead
from baselib.http.errors import (
    BulkheadFullError,
    CallTimeoutError,
    CircuitOpenError,
    DeadlinePassedError,
    DependencyError,
    UnavailableError,
)
from baselib.http.request import Address, Request
from baselib.http.response import Response
from baselib.http.retries import ATTEMPTS, RETRIED_STATUSES, RetryBudget, back_off, retry_after
from baselib.telemetry import current_span, metrics
from baselib.telemetry.identifiers import REQUEST_ID_HEADER, REQUEST_TIMEOUT_HEADER, TRACE_HEADER, request_id_from
from baselib.telemetry.metrics.standard import DEPENDENCY_OPEN, DEPENDENCY_RETRIES

if TYPE_CHECKING:
    from baselib.http.transport import Transport

ATTEMPT_SECONDS: Final = 5.0
"""For how long an answer is waited for, when the caller does not say."""

CALL_SECONDS: Final = 10.0
"""For how long a call with its retries may take, when the caller does not say."""

# A time-out below this tells nothing about the dependency when it came from what was left of the caller's budget.
_FAIR_SECONDS: Final = 1.0

_logger = logging.getLogger(__name__)


class _Limits(NamedTuple):
    """The seconds of an attempt, when the call ends, and from how many seconds a time-out is the dependency's fault."""

    attempt: float
    ends: float
    fair: float


class ProtectedCalls:
    """The calls of one dependency: bounded in time, in number and in how often they are tried again.

    Args:
        dependency: The other service's name.
        url: Where it answers; None where a soft dependency is not there.
        places: How many calls may be in flight.
        user_agent: What it is told of who calls.
    """

    def __init__(self, dependency: str, url: str | None, places: int, user_agent: str) -> None:
        self._dependency = dependency
        self._address = None if url is None else Address.of(url)
        self._headers = {"user-agent": user_agent}
        if self._address is not None and self._address.authorization is not None:
            self._headers["authorization"] = self._address.authorization
        self._lock = threading.Lock()
        self._transport: Transport | None = None
        self._breaker = CircuitBreaker(changed=self._breaker_changed)
        self._bulkhead = Bulkhead(places)
        self._retries = RetryBudget()
        renew_after_fork(self)

    def call(self, request: Request, timeout: float | None) -> Response:
        """Make a call, and read the whole answer.

        Args:
            request: What is sent.
            timeout: Seconds for the call with all its retries; 10, with 5 for each attempt, when None.

        Raises:
            DependencyError: No answer came.
        """
        started = time.monotonic()
        if self._address is None:
            raise UnavailableError(self._dependency, "has no address here")
        span = current_span()
        budget_ends = math.inf if span is None or span.deadline is None else span.deadline
        if budget_ends <= started:
            raise DeadlinePassedError(self._dependency, "not called, because the caller's time is spent")
        own_end = started + (CALL_SECONDS if timeout is None else timeout)
        limits = _Limits(
            ATTEMPT_SECONDS if timeout is None else timeout,
            min(own_end, budget_ends),
            _FAIR_SECONDS if budget_ends < own_end else 0.0,
        )
        if not self._breaker.lets_through:
            raise self._circuit_open()
        if not self._bulkhead.enter(min(WAIT_SECONDS, limits.ends - started)):
            raise BulkheadFullError(self._dependency, f"{self._bulkhead.places} calls are in flight already")
        try:
            return self._with_retries(request, limits)
        finally:
            self._bulkhead.leave()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def after_fork(self) -> None:
        """Begin anew, without the connections and the calls of the parent."""
        self._lock = threading.Lock()
        # The other process goes on with these connections; here only the file descriptors are closed.
        self.close()
        self._breaker.after_fork()
        self._bulkhead.after_fork()
        self._retries.after_fork()

    def _with_retries(self, request: Request, limits: _Limits) -> Response:
        self._retries.deposit()
        sent = False
        for retry in range(1, ATTEMPTS + 1):
            try:
                response = self._attempt(request, limits)
            except DependencyError as error:
                again = not error.sent or (request.idempotent and not error.answered)
                again = again and isinstance(error, UnavailableError | CallTimeoutError)
                # An earlier attempt may have been carried out, though this one was not even sent.
                sent = error.sent = error.sent or sent
                if not (again and self._waited(retry, 0.0, limits.ends)):
                    raise
            else:
                sent = True
                again = request.idempotent and response.status in RETRIED_STATUSES
                if not (again and self._waited(retry, retry_after(response.headers.get("Retry-After")), limits.ends)):
                    return response
        raise AssertionError("the last attempt is never followed by another")

    def _waited(self, retry: int, asked: float, ends: float) -> bool:
        """Wait before another attempt; False, at once, when there must be none."""
        pause = max(asked, back_off(retry))
        if (
            retry >= ATTEMPTS
            or time.monotonic() + pause >= ends
            or not self._breaker.lets_through
            or not self._retries.withdraw()
        ):
            return False
        metrics.incr(DEPENDENCY_RETRIES.name, tags={"dependency": self._dependency})
        time.sleep(pause)
        return True

    def _attempt(self, request: Request, limits: _Limits) -> Response:
        now = time.monotonic()
        if limits.ends <= now:
            raise DeadlinePassedError(self._dependency, "not called, because the time is spent")
        until = min(limits.ends, now + limits.attempt)
        token = self._breaker.enter()
        if token is None:
            raise self._circuit_open()
        # None says nothing about the dependency: whatever ends the attempt besides, its probe is given back.
        failed: bool | None = None
        try:
            response = self._connections().exchange(request, self._headers_of(request, until - now), until)
            failed = response.status >= 500
        except (UnavailableError, CallTimeoutError):
            failed = True if until - now >= limits.fair else None
            raise
        finally:
            self._breaker.record(token, failed=failed)
        return response

    def _headers_of(self, request: Request, seconds: float) -> dict[str, str]:
        headers = {**self._headers}
        span = current_span()
        if span is not None:
            headers[REQUEST_ID_HEADER.lower()] = request_id_from(span.request_id)
            if span.trace_id is not None:
                headers[TRACE_HEADER.lower()] = f"Root={span.trace_id}"
        headers.update(request.headers)
        headers[REQUEST_TIMEOUT_HEADER.lower()] = str(max(1, int(seconds * 1000)))
        return headers

    def _connections(self) -> "Transport":
        transport = self._transport
        if transport is None:
            # Only paid for by those who call.
            from baselib.http.transport import Transport  # noqa: PLC0415

            with self._lock:
                if self._transport is None:
                    assert self._address is not None  # noqa: S101 - for the type checker
                    self._transport = Transport(self._dependency, self._address, self._bulkhead.places)
                transport = self._transport
        return transport

    def _circuit_open(self) -> CircuitOpenError:
        return CircuitOpenError(self._dependency, "not called, because it failed too often a moment ago")

    def _breaker_changed(self, state: State) -> None:
        metrics.gauge(DEPENDENCY_OPEN.name, int(state == "open"), tags={"dependency": self._dependency})
        _logger.warning("circuit breaker changed", extra={"dependency": self._dependency, "state": state})

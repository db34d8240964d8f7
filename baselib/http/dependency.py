"""The client of one dependency: what protects this service from it, in the order in which a call meets it."""

import logging
import math
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict, Unpack

from baselib.concurrency import renew_after_fork
from baselib.http.breaker import CircuitBreaker, State
from baselib.http.bulkhead import WAIT_SECONDS, Bulkhead
from baselib.http.errors import (
    BadStatusError,
    BulkheadFullError,
    CallTimeoutError,
    CircuitOpenError,
    DeadlinePassedError,
    DependencyError,
    UnavailableError,
)
from baselib.http.request import Address, Request
from baselib.http.response import NO_FALLBACK, Response
from baselib.http.retries import ATTEMPTS, RETRIED_STATUSES, RetryBudget, back_off, retry_after
from baselib.telemetry import current_span, metrics
from baselib.telemetry.identifiers import REQUEST_ID_HEADER, REQUEST_TIMEOUT_HEADER, TRACE_HEADER, request_id_from
from baselib.telemetry.metrics.standard import (
    DEPENDENCY_CALLS,
    DEPENDENCY_OPEN,
    DEPENDENCY_RETRIES,
    DEPENDENCY_TIME,
)

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


class Arguments(TypedDict, total=False):
    """What every method of `DependencyClient` takes; `request` says what each means."""

    json: Any
    params: Mapping[str, Any] | None
    headers: Mapping[str, str] | None
    body: bytes | str | None
    timeout: float | None
    idempotent: bool | None
    fallback: Any


class DependencyClient:
    """Calls another service; for any number of threads, and still good after a fork.

    Redirects are answers like any other and not followed, and proxies in the environment are not used: another service
    is called where its URL says.

    Args:
        dependency: The other service's name, such as `duolingo-users`.
        url: Where it answers; None where a soft dependency is not there.
        places: How many calls may be in flight.
        user_agent: What it is told of who calls.
    """

    def __init__(self, dependency: str, url: str | None, *, places: int = 3, user_agent: str = "baselib") -> None:
        self.dependency = dependency
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

    def get(self, path: str, **arguments: Unpack[Arguments]) -> Response:
        """`request` with the method GET."""
        return self.request("GET", path, **arguments)

    def head(self, path: str, **arguments: Unpack[Arguments]) -> Response:
        """`request` with the method HEAD."""
        return self.request("HEAD", path, **arguments)

    def post(self, path: str, **arguments: Unpack[Arguments]) -> Response:
        """`request` with the method POST."""
        return self.request("POST", path, **arguments)

    def put(self, path: str, **arguments: Unpack[Arguments]) -> Response:
        """`request` with the method PUT."""
        return self.request("PUT", path, **arguments)

    def patch(self, path: str, **arguments: Unpack[Arguments]) -> Response:
        """`request` with the method PATCH."""
        return self.request("PATCH", path, **arguments)

    def delete(self, path: str, **arguments: Unpack[Arguments]) -> Response:
        """`request` with the method DELETE."""
        return self.request("DELETE", path, **arguments)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        timeout: float | None = None,
        idempotent: bool | None = None,
        fallback: Any = NO_FALLBACK,
    ) -> Response:
        """Call the other service and read its whole answer.

        Args:
            method: The HTTP method.
            path: What follows the dependency's URL, beginning with `/`; may hold a query.
            json: A body to send as JSON.
            params: More of the query; a list gives its name once for each element, None leaves it out.
            headers: Further header fields.
            body: A body to send as it is.
            timeout: Seconds for the call with all its retries, instead of 10 with 5 for each attempt. What is left of
                the request's own budget bounds both.
            idempotent: Whether the call may be sent twice; as RFC 9110 says of the method when None. True sends an
                `Idempotency-Key`, the same with each attempt.
            fallback: What stands in for an answer when none comes, or one with a status of 500 or more: a value for
                `json()`, or a function that gets the error and returns one.

        Returns:
            The answer, whatever its status.

        Raises:
            DependencyError: No answer came, and there is no fallback.
            ValueError: An argument cannot be sent.
        """
        if timeout is not None and not math.isfinite(timeout):
            raise ValueError("the timeout is not a finite number")
        request = Request.checked(
            method, path, json=json, params=params, headers=headers, body=body, idempotent=idempotent
        )
        try:
            response = self._measured(request, timeout)
            if response.status >= 500 and fallback is not NO_FALLBACK:
                raise BadStatusError(self.dependency, response.status)
        except DependencyError as error:
            if fallback is NO_FALLBACK:
                raise
            return Response(self.dependency, 0, fallback=fallback(error) if callable(fallback) else fallback)
        return response

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _measured(self, request: Request, timeout: float | None) -> Response:
        started, outcome = time.monotonic(), "failed"
        try:
            response = self._call(request, started, timeout)
            outcome = f"{response.status // 100}xx"
        except DependencyError as error:
            outcome = error.outcome
            raise
        finally:
            tags = {"dependency": self.dependency, "outcome": outcome}
            metrics.incr(DEPENDENCY_CALLS.name, tags=tags)
            metrics.timing(DEPENDENCY_TIME.name, 1000.0 * (time.monotonic() - started), tags=tags)
        return response

    def _call(self, request: Request, started: float, timeout: float | None) -> Response:
        if self._address is None:
            raise UnavailableError(self.dependency, "has no address here")
        span = current_span()
        budget_ends = math.inf if span is None or span.deadline is None else span.deadline
        if budget_ends <= started:
            raise DeadlinePassedError(self.dependency, "not called, because the caller's time is spent")
        own_end = started + (CALL_SECONDS if timeout is None else timeout)
        limits = _Limits(
            ATTEMPT_SECONDS if timeout is None else timeout,
            min(own_end, budget_ends),
            _FAIR_SECONDS if budget_ends < own_end else 0.0,
        )
        if not self._breaker.lets_through:
            raise self._circuit_open()
        if not self._bulkhead.enter(min(WAIT_SECONDS, limits.ends - started)):
            raise BulkheadFullError(self.dependency, f"{self._bulkhead.places} calls are in flight already")
        try:
            return self._with_retries(request, limits)
        finally:
            self._bulkhead.leave()

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
        metrics.incr(DEPENDENCY_RETRIES.name, tags={"dependency": self.dependency})
        time.sleep(pause)
        return True

    def _attempt(self, request: Request, limits: _Limits) -> Response:
        now = time.monotonic()
        if limits.ends <= now:
            raise DeadlinePassedError(self.dependency, "not called, because the time is spent")
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
                    self._transport = Transport(self.dependency, self._address, self._bulkhead.places)
                transport = self._transport
        return transport

    def _circuit_open(self) -> CircuitOpenError:
        return CircuitOpenError(self.dependency, "not called, because it failed too often a moment ago")

    def _breaker_changed(self, state: State) -> None:
        metrics.gauge(DEPENDENCY_OPEN.name, int(state == "open"), tags={"dependency": self.dependency})
        _logger.warning("circuit breaker changed", extra={"dependency": self.dependency, "state": state})

    def after_fork(self) -> None:
        """Begin anew, without the connections and the calls of the parent."""
        self._lock = threading.Lock()
        # The other process goes on with these connections; here only the file descriptors are closed.
        self.close()
        self._breaker.after_fork()
        self._bulkhead.after_fork()
        self._retries.after_fork()

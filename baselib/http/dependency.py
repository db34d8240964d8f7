"""The client of one dependency, as a service uses it."""

import math
import time
from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from baselib.http.errors import BadStatusError, DependencyError
from baselib.http.protected_calls import ProtectedCalls
from baselib.http.request import Request
from baselib.http.response import NO_FALLBACK, Response
from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import DEPENDENCY_CALLS, DEPENDENCY_TIME


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
        self._calls = ProtectedCalls(dependency, url, places, user_agent)

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
        self._calls.close()

    def _measured(self, request: Request, timeout: float | None) -> Response:
        started, outcome = time.monotonic(), "failed"
        try:
            response = self._calls.call(request, timeout)
            outcome = f"{response.status // 100}xx"
        except DependencyError as error:
            outcome = error.outcome
            raise
        finally:
            tags = {"dependency": self.dependency, "outcome": outcome}
            metrics.incr(DEPENDENCY_CALLS.name, tags=tags)
            metrics.timing(DEPENDENCY_TIME.name, 1000.0 * (time.monotonic() - started), tags=tags)
        return response

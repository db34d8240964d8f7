"""The span of a request: from when a thread takes it to the last byte out."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from baselib.telemetry import REPORTER, Span
from baselib.telemetry.identifiers import REQUEST_ID_HEADER, budget_from, request_id_from, trace_id_from
from baselib.telemetry.span import activate, deactivate

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SPAN_KEY: Final = "baselib.span"
"""Where the WSGI environment holds the request's span."""

QUEUED_KEY: Final = "baselib.queued"
"""Where the server may say when the request arrived, on the clock of `time.monotonic`."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNMATCHED: Final = "unmatched"


class RequestSpan(Span):
    """The span of a request.

    Attributes:
        method: The HTTP method.
        bytes: The size of the answer's body.
        queued: When the request arrived, on the clock of `time.monotonic`; None when the server did not say.
    """

    __slots__ = ("bytes", "method", "queued")

    def __init__(self, environ: "WSGIEnvironment", budget: float) -> None:
        given = environ.get
        trace = given("HTTP_X_AMZN_TRACE_ID")
        timeout = given("HTTP_X_REQUEST_TIMEOUT_MS")
        super().__init__(
            "request",
            _UNMATCHED,
            request_id_from(given("HTTP_X_REQUEST_ID")),
            trace_id_from(trace) if trace else None,
            budget_from(timeout, budget) if timeout else budget,
        )
        self.method: str = given("REQUEST_METHOD", "")
        self.queued: float | None = given(QUEUED_KEY)
        if self.queued is not None and self.deadline is not None:
            # The caller has waited since the request arrived, not since a thread took it.
            self.deadline -= self.started - self.queued
        self.bytes = 0

    def metric_tags(self) -> tuple[tuple[str, str], ...]:
        """Method, route and status."""
        own = (("method", self._known_method()), ("route", self.name), ("status", self.outcome))
        return (*own, *self.tags.items()) if self.tags else own

    def metric_key(self) -> tuple[str, ...]:
        """Method, route and status, and the service's own tags where it has any."""
        own = (self._known_method(), self.name, self.outcome)
        return (*own, *super().metric_key()) if self.tags else own

    def log_fields(self) -> dict[str, Any]:
        """Method, route, status, bytes and the time in the queue."""
        fields: dict[str, Any] = {
            "method": self._known_method(),
            "route": self.name,
            "status": int(self.outcome) if self.outcome.isdecimal() else None,
            "bytes": self.bytes,
        }
        if self.queued is not None:
            fields["queue_ms"] = round((self.started - self.queued) * 1000, 3)
        return fields

    def _known_method(self) -> str:
        # A client may send any word, and each new one would be a new metric.
        return self.method if self.method in _METHODS else "OTHER"


class RequestSpans:
    """WSGI middleware that makes every request a span, and gives the caller its id.

    Args:
        application: What answers the request; a Flask application, or the span does not know its route.
        budget: Seconds that a request may take; a caller may give it less.
    """

    def __init__(
        self, application: "Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]", budget: float
    ) -> None:
        self._application = application
        self._budget = budget

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass a request on."""
        span = environ[SPAN_KEY] = RequestSpan(environ, self._budget)

        def begin(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            span.outcome = status[:3]
            # Flask leaves its request here until it has answered, so that no hook has to run for the route's sake.
            rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
            if rule is not None:
                span.name = rule.rule
            # The list is the application's, which may use it again.
            headers = [*headers, (REQUEST_ID_HEADER, span.request_id)]
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        activate(span)
        try:
            body = self._application(environ, begin)
        except BaseException as error:
            span.error, span.outcome = error, "500"
            REPORTER.report(span)
            deactivate()
            raise
        return _Body(body, span)


class _Body:
    """The response's body, which ends the span when the server closes it."""

    __slots__ = ("_body", "_span")

    def __init__(self, body: Iterable[bytes], span: RequestSpan) -> None:
        self._body = body
        self._span = span

    def __iter__(self) -> Iterator[bytes]:
        span = self._span
        try:
            for part in self._body:
                span.bytes += len(part)
                yield part
        except Exception as error:
            span.error = error
            raise

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            REPORTER.report(self._span)
            deactivate()

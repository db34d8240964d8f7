"""The span of a request: from the first byte in to the last byte out."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from flask import request

from baselib.telemetry import OBSERVERS, Span, finish
from baselib.telemetry.identifiers import REQUEST_ID_HEADER, request_id_from, trace_id_from
from baselib.telemetry.span import activate, deactivate

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_KEY: Final = "baselib.span"
_UNMATCHED: Final = "unmatched"


class RequestSpans:
    """WSGI middleware that makes every request a span, and gives the caller its id.

    Args:
        application: What answers the request.
    """

    def __init__(self, application: "Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass a request on."""
        span = Span(
            "request",
            _UNMATCHED,
            request_id=request_id_from(environ.get("HTTP_X_REQUEST_ID")),
            trace_id=trace_id_from(environ.get("HTTP_X_AMZN_TRACE_ID")),
        )
        environ[_KEY] = span
        method = environ.get("REQUEST_METHOD", "")
        # A client may send any word, and each new one would be a new metric.
        span.tags["method"] = method if method in _METHODS else "OTHER"

        def begin(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            span.outcome = status[:3]
            headers.append((REQUEST_ID_HEADER, span.request_id))
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        activate(span)
        try:
            body = self._application(environ, begin)
        except BaseException as error:
            span.error, span.outcome = error, "500"
            _finish(span, 0)
            raise
        return _Body(body, span)


class _Body:
    """The response's body, which ends the span when the server closes it."""

    def __init__(self, body: Iterable[bytes], span: Span) -> None:
        self._body = body
        self._span = span
        self._bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._body:
                self._bytes += len(part)
                yield part
        except Exception as error:
            self._span.error = error
            raise

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            _finish(self._span, self._bytes)


def _finish(span: Span, size: int) -> None:
    span.tags["route"] = span.name
    span.tags["status"] = span.outcome
    span.fields.update(method=span.tags["method"], bytes=size)
    finish(span, OBSERVERS)
    deactivate()


def note_route() -> None:
    """Name the span of this request after the route, which is what metrics and logs may be told of the path."""
    span = request.environ.get(_KEY)
    if span is not None and request.url_rule is not None:
        span.name = request.url_rule.rule

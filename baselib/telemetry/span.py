"""The span: one request, one message or one run of a job, which logs, metrics and errors observe.

>>> with observed(Span("job", "nightly-report"), observers=()) as span:
...     current_span() is span
True
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Literal, Protocol

from baselib.telemetry.identifiers import new_request_id

Kind = Literal["request", "message", "job"]

_current: ContextVar["Span | None"] = ContextVar("baselib_span", default=None)


class Span:
    """What is known of the work in hand.

    Args:
        kind: `request`, `message` or `job`.
        name: A name of low cardinality: the route, the queue or the job.
        request_id: The id that the caller gave, or a fresh one.
        trace_id: The load balancer's id for the whole trace, if any.

    Attributes:
        outcome: How it ended, of low cardinality: the HTTP status, or `done`, `retried`, `rejected`, `failed`.
        error: The exception that ended it, if any.
        fields: More that the log line of the end should say.
        tags: More that its metrics should be tagged with; low cardinality.
    """

    __slots__ = ("error", "fields", "kind", "name", "outcome", "request_id", "started", "tags", "trace_id")

    def __init__(self, kind: Kind, name: str, *, request_id: str | None = None, trace_id: str | None = None) -> None:
        self.kind = kind
        self.name = name
        self.request_id = request_id or new_request_id()
        self.trace_id = trace_id
        self.outcome = ""
        self.error: BaseException | None = None
        self.fields: dict[str, Any] = {}
        self.tags: dict[str, str] = {}
        self.started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self.started


class Observer(Protocol):
    """Something that is told when a span ends."""

    def finished(self, span: Span) -> None:
        """The span has ended; its outcome and error are set."""


def current_span() -> Span | None:
    """The span of the work that this thread or task does now."""
    return _current.get()


@contextlib.contextmanager
def observed(span: Span, observers: Sequence[Observer]) -> Iterator[Span]:
    """Make a span the current one, and tell the observers when it ends.

    An exception is kept in `span.error` and raised on.

    Args:
        span: The span, just made.
        observers: Who is told, in this order; they never raise.
    """
    token = _current.set(span)
    try:
        yield span
    except BaseException as error:
        span.error = error
        raise
    finally:
        finish(span, observers)
        _current.reset(token)


def finish(span: Span, observers: Sequence[Observer]) -> None:
    """Tell the observers that a span has ended; what goes wrong in one of them is lost, the work is not."""
    for observer in observers:
        with contextlib.suppress(Exception):
            observer.finished(span)


def activate(span: Span) -> None:
    """Make a span the current one where a `with` block cannot surround it, as in a WSGI response."""
    _current.set(span)


def deactivate() -> None:
    """Leave this thread without a span."""
    _current.set(None)

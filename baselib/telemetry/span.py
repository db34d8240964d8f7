"""The span: one request, one message or one run of a job, which logs, metrics and errors observe.

>>> with observed(Span("job", "nightly-report"), observers=()) as span:
...     current_span() is span
True
"""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Literal, Protocol

from baselib.telemetry.identifiers import new_request_id

Kind = Literal["request", "message", "job", "turn"]

_logger = logging.getLogger(__name__)

_current: ContextVar["Span | None"] = ContextVar("baselib_span", default=None)


class Span:
    """What is known of the work in hand.

    Args:
        kind: `request`, `message`, `job`, or `turn` of a loop.
        name: A name of low cardinality: the route, the queue or the job.
        request_id: The id that the caller gave, or a fresh one.
        trace_id: The load balancer's id for the whole trace, if any.
        budget: Seconds that it may take; None when there is no limit.

    Attributes:
        outcome: How it ended, of low cardinality: the HTTP status, or `done`, `retried`, `rejected`, `failed`.
        error: The exception that ended it, if any.
        fields: More that the log line of the end should say.
        tags: More that its metrics should be tagged with; low cardinality.
        deadline: When the budget is spent, on the clock of `time.monotonic`; None when there is none.
        ended: When the work was done, in seconds since 1970; None before that.
    """

    __slots__ = (
        "_seconds",
        "deadline",
        "ended",
        "error",
        "fields",
        "kind",
        "name",
        "outcome",
        "request_id",
        "started",
        "tags",
        "trace_id",
    )

    def __init__(
        self,
        kind: Kind,
        name: str,
        request_id: str | None = None,
        trace_id: str | None = None,
        budget: float | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.request_id = request_id or new_request_id()
        self.trace_id = trace_id
        self.outcome = ""
        self.error: BaseException | None = None
        self.fields: dict[str, Any] = {}
        self.tags: dict[str, str] = {}
        self.started = time.monotonic()
        self.deadline = None if budget is None else self.started + budget
        self.ended: float | None = None

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return time.monotonic() - self.started if self.ended is None else self._seconds

    def end(self) -> None:
        """Take the time: the work is done."""
        if self.ended is None:
            self._seconds = time.monotonic() - self.started
            self.ended = time.time()

    @property
    def remaining(self) -> float | None:
        """Seconds of the time budget that are left, below zero when it is spent; None without a budget."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def metric_tags(self) -> tuple[tuple[str, str], ...]:
        """The tags of its metrics, low in cardinality; asked for when it has ended."""
        return tuple(self.tags.items())

    def metric_key(self) -> tuple[str, ...]:
        """What tells its tags from another's: texts of which the same mean the same tags."""
        return (self.kind, *self.tags, *self.tags.values())

    def log_fields(self) -> dict[str, Any]:
        """What the log line of its end says besides `fields` and the time that it took; asked for when it has ended."""
        return {"span": self.name, "outcome": self.outcome}


class Observer(Protocol):
    """Something that is told of spans that have ended."""

    def finished(self, spans: Sequence[Span]) -> None:
        """Spans have ended, in this order; their outcomes and errors are set."""


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
        span.end()
        finish((span,), observers)
        _current.reset(token)


def finish(spans: Sequence[Span], observers: Sequence[Observer]) -> None:
    """Tell the observers that spans have ended; what goes wrong in one of them is lost, the work is not."""
    for observer in observers:
        try:
            observer.finished(spans)
        except Exception:
            # Whatever it is, the work counts.
            _logger.debug("%s failed", type(observer).__name__, exc_info=True)


def activate(span: Span | None) -> None:
    """Make a span, or none, the current one where a `with` block cannot surround it, as in a WSGI response."""
    _current.set(span)


def deactivate() -> None:
    """Leave this thread without a span."""
    _current.set(None)

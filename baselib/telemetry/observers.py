"""What is done when a span ends: a log line, metrics, and a word to Sentry."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from baselib.telemetry import errors
from baselib.telemetry.metrics import MetricsClient, standard
from baselib.telemetry.span import Kind, Span

_logger = logging.getLogger("baselib.span")

_MESSAGES: Final[Mapping[Kind, str]] = {
    "request": "request finished",
    "message": "message finished",
    "job": "cron finished",
}


class SpanLog:
    """One line for each span; an error among the outcomes makes it an error line."""

    def finished(self, span: Span) -> None:
        """Log how the span ended."""
        failed = span.outcome == "failed"
        level = logging.ERROR if failed else logging.INFO
        if not _logger.isEnabledFor(level):
            return
        message = "cron failed" if failed and span.kind == "job" else _MESSAGES[span.kind]
        fields: dict[str, Any] = {"span": span.name, "outcome": span.outcome, "ms": round(span.seconds * 1000, 3)}
        fields.update(span.fields)
        _logger.log(level, message, extra=fields)


class SpanMetrics:
    """A counter and a timer for each span.

    Args:
        client: Where they go.
    """

    _NAMES: Final[Mapping[Kind, tuple[str, str]]] = {
        "request": (standard.REQUESTS.name, standard.REQUEST_TIME.name),
        "message": (standard.MESSAGES.name, standard.MESSAGE_TIME.name),
        "job": (standard.JOBS.name, standard.JOB_TIME.name),
    }

    def __init__(self, client: MetricsClient) -> None:
        self._client = client

    def finished(self, span: Span) -> None:
        """Count the span and send its duration."""
        counter, timer = self._NAMES[span.kind]
        with self._client.pipeline() as pipeline:
            pipeline.incr(counter, tags=span.tags)
            pipeline.timing(timer, span.seconds * 1000, tags=span.tags)


class SpanErrors:
    """Tells Sentry of the exception that ended a span."""

    def finished(self, span: Span) -> None:
        """Capture the span's exception, if it has one."""
        if span.error is not None and not isinstance(span.error, SystemExit | KeyboardInterrupt | GeneratorExit):
            errors.capture(span.error)

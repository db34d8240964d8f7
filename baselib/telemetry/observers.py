"""What is done when a span ends: a log line, metrics, and a word to Sentry."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from baselib.telemetry import errors
from baselib.telemetry.logs.shortcut import sole_handler
from baselib.telemetry.metrics import MetricsClient, standard
from baselib.telemetry.metrics.events import Tagged
from baselib.telemetry.span import Kind, Span, activate, current_span

_logger = logging.getLogger("baselib.span")

_MESSAGES: Final[Mapping[Kind, str]] = {
    "request": "request finished",
    "message": "message finished",
    "job": "cron finished",
}


_MOST_TAGGED: Final = 2_000


class SpanLog:
    """One line for each span; an error among the outcomes makes it an error line."""

    def finished(self, spans: Sequence[Span]) -> None:
        """Log how each span ended."""
        short = sole_handler(_logger, logging.INFO)
        if short is None:
            for span in spans:
                _log(span)
            return
        handler, formatter = short
        lines: dict[int, list[str]] = {logging.INFO: [], logging.ERROR: []}
        for span in spans:
            level = _level(span)
            if _logger.isEnabledFor(level):
                name = logging.getLevelName(level)
                lines[level].append(formatter.span_line(span, name, _logger.name, _message(span), _fields(span)))
        for level, made in lines.items():
            if made:
                handler.write_lines(level, made)


def _log(span: Span) -> None:
    level = _level(span)
    if not _logger.isEnabledFor(level):
        return
    # What `_logger.log` does, without looking up who called.
    record = _logger.makeRecord(_logger.name, level, __file__, 0, _message(span), (), None, "finished")
    record.created = span.ended or record.created
    record.__dict__.update(_fields(span))
    own = current_span()
    activate(span)
    _logger.handle(record)
    activate(own)


def _level(span: Span) -> int:
    return logging.ERROR if span.outcome == "failed" else logging.INFO


def _message(span: Span) -> str:
    return "cron failed" if span.outcome == "failed" and span.kind == "job" else _MESSAGES[span.kind]


def _fields(span: Span) -> dict[str, Any]:
    return {**span.log_fields(), "duration_ms": round(span.seconds * 1000, 3)}


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
        self._known: dict[tuple[str, ...], tuple[Tagged, Tagged]] = {}

    def finished(self, spans: Sequence[Span]) -> None:
        """Count each span and send its duration."""
        for span in spans:
            known = self._known.get(span.metric_key())
            counter, timer = known or self._tagged(span)
            self._client.observe(counter, timer, span.seconds * 1000)

    def _tagged(self, span: Span) -> tuple[Tagged, Tagged]:
        if len(self._known) >= _MOST_TAGGED:
            # Somebody makes tags without end; what becomes of them is bounded by the metrics client.
            self._known.clear()
        counter, timer = self._NAMES[span.kind]
        tags = span.metric_tags()
        made = self._known[span.metric_key()] = (Tagged(counter, tags), Tagged(timer, tags))
        return made


class SpanErrors:
    """Tells Sentry of the exception that ended a span."""

    def finished(self, spans: Sequence[Span]) -> None:
        """Capture each span's exception, if it has one."""
        for span in spans:
            if span.error is not None and not isinstance(span.error, SystemExit | KeyboardInterrupt | GeneratorExit):
                errors.capture_exception(span.error)

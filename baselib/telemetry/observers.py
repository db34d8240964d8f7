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

_MOST_TAGGED: Final = 2_000

_MESSAGES: Final[Mapping[Kind, str]] = {
    "request": "request finished",
    "message": "message finished",
    "job": "cron finished",
    "turn": "turn finished",
}


class SpanLog:
    """One line for each span; an error among the outcomes makes it an error line."""

    def finished(self, spans: Sequence[Span]) -> None:
        """Log how each span ended."""
        short = sole_handler(_logger, logging.INFO) if _logger.isEnabledFor(logging.INFO) else None
        lines: list[str] = []
        for span in spans:
            if short is None or span.outcome == "failed":
                _log(span)
            else:
                lines.append(short[1].span_line(span, "INFO", _logger.name, _MESSAGES[span.kind], _fields(span)))
        if short is not None and lines:
            short[0].write_lines(logging.INFO, lines)


def _log(span: Span) -> None:
    failed = span.outcome == "failed"
    level = logging.ERROR if failed else logging.INFO
    if not _logger.isEnabledFor(level):
        return
    message = "cron failed" if failed and span.kind == "job" else _MESSAGES[span.kind]
    # What `_logger.log` does, without looking up who called.
    record = _logger.makeRecord(_logger.name, level, __file__, 0, message, (), None, "finished")
    record.created = span.ended or record.created
    own = _fields(span)
    record.__dict__.update({f"{name}_" if name in own else name: value for name, value in span.fields.items()})
    record.__dict__.update(own)
    before = current_span()
    activate(span)
    try:
        _logger.handle(record)
    finally:
        activate(before)


def _fields(span: Span) -> dict[str, Any]:
    fields = span.log_fields()
    fields["duration_ms"] = round(span.seconds * 1000, 3)
    return fields


class SpanMetrics:
    """A counter and a timer for each span.

    Args:
        client: Where they go.
    """

    _NAMES: Final[Mapping[Kind, tuple[str, str]]] = {
        "request": (standard.REQUESTS.name, standard.REQUEST_TIME.name),
        "message": (standard.MESSAGES.name, standard.MESSAGE_TIME.name),
        "job": (standard.JOBS.name, standard.JOB_TIME.name),
        "turn": (standard.TURNS.name, standard.TURN_TIME.name),
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

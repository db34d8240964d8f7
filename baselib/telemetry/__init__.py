"""What a service tells about itself: logs, metrics and errors, which observe the same spans."""

import logging
from typing import Final

from baselib.contract import Settings
from baselib.telemetry.errors import capture_exception, configure_errors, flush_errors, start_errors
from baselib.telemetry.logs import LINES, configure_logs, log_fields
from baselib.telemetry.metrics import MetricsClient, UdpTransport
from baselib.telemetry.metrics.standard import STARTS
from baselib.telemetry.observers import SpanErrors, SpanLog, SpanMetrics
from baselib.telemetry.process import CollectionMetrics
from baselib.telemetry.reporting import Reporter
from baselib.telemetry.span import Observer, Span, current_span, observed

__all__ = [
    "OBSERVERS",
    "REPORTER",
    "Span",
    "capture_exception",
    "configure_telemetry",
    "current_span",
    "flush_telemetry",
    "log_fields",
    "metrics",
    "observed",
    "start_errors",
]

_logger = logging.getLogger(__name__)

metrics: Final = MetricsClient()
"""The process's metrics client; until `configure_telemetry` it sends nothing."""
metrics.sample(lambda: LINES.report(metrics.incr), after_fork=True)
metrics.sample(CollectionMetrics(metrics).sample, after_fork=True)

OBSERVERS: Final[tuple[Observer, ...]] = (SpanMetrics(metrics), SpanErrors(), SpanLog())

REPORTER: Final = Reporter(OBSERVERS)
"""Tells `OBSERVERS` of the spans of this process."""


def configure_telemetry(settings: Settings) -> None:
    """Set up logs, metrics and errors for this process; may be called again.

    Args:
        settings: Says where each goes, and who speaks.
    """
    configure_logs(settings, tell_uncaught=capture_exception)
    configure_errors(settings)
    if settings.statsd_host is None:
        metrics.configure(None)
        _logger.info("metrics are off: STATSD_HOST is not set")
    else:
        metrics.configure(
            UdpTransport(settings.statsd_host, settings.statsd_port),
            prefix=settings.name.metric_prefix,
            tags={"environment": settings.environment},
            dialect=settings.statsd_dialect,
        )
    metrics.incr(STARTS.name, tags={"release": settings.release})


def flush_telemetry() -> None:
    """Send what is buffered, as far as that is possible within three seconds; each log line has left already."""
    REPORTER.flush()
    metrics.flush()
    flush_errors()

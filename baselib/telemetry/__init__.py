"""What a service tells about itself: logs, metrics and errors, which observe the same spans."""

import logging
from typing import Final

from baselib.contract import Settings
from baselib.telemetry.errors import configure_errors, flush_errors
from baselib.telemetry.logs import configure_logs
from baselib.telemetry.metrics import MetricsClient, UdpTransport
from baselib.telemetry.metrics.standard import STARTS
from baselib.telemetry.observers import SpanErrors, SpanLog, SpanMetrics
from baselib.telemetry.span import Observer, Span, current_span, finish, observed

__all__ = [
    "OBSERVERS",
    "Span",
    "configure_telemetry",
    "current_span",
    "finish",
    "flush_telemetry",
    "metrics",
    "observed",
]

_logger = logging.getLogger(__name__)

metrics: Final = MetricsClient()
"""The process's metrics client; until `configure_telemetry` it sends nothing."""

OBSERVERS: Final[tuple[Observer, ...]] = (SpanMetrics(metrics), SpanErrors(), SpanLog())

_transports: Final[list[UdpTransport]] = []


def configure_telemetry(settings: Settings) -> None:
    """Set up logs, metrics and errors for this process; may be called again.

    Args:
        settings: Says where each goes, and who speaks.
    """
    configure_logs(settings)
    configure_errors(settings)
    for transport in _transports:
        transport.close()
    _transports.clear()
    if settings.statsd_host is None:
        metrics.configure(None)
        _logger.info("metrics are off: STATSD_HOST is not set")
    else:
        transport = UdpTransport(settings.statsd_host, settings.statsd_port)
        _transports.append(transport)
        metrics.configure(transport, prefix=settings.name.metric_prefix, tags={"environment": settings.environment})
    metrics.incr(STARTS.name, tags={"release": settings.release})


def flush_telemetry() -> None:
    """Send what is buffered, as far as that is possible within three seconds."""
    for transport in _transports:
        transport.flush()
    flush_errors()
    for handler in logging.getLogger().handlers:
        handler.flush()

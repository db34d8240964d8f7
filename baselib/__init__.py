"""The library under every service of the fleet.

The names below are imported when they are first used, so that a service pays only for what it runs.
"""

from typing import TYPE_CHECKING

from baselib.lazy import lazy_names

if TYPE_CHECKING:
    from baselib import aws, data_stores, http
    from baselib.health import HealthCheck
    from baselib.telemetry import capture_exception, log_fields
    from baselib.telemetry.metrics import MetricsClient
    from baselib.web import create_app
    from baselib.worker import Job, Message, Reject, Worker

    # Not imported, because the name is also that of a module.
    metrics: MetricsClient

__all__ = [
    "HealthCheck",
    "Job",
    "Message",
    "Reject",
    "Worker",
    "aws",
    "capture_exception",
    "create_app",
    "data_stores",
    "http",
    "log_fields",
    "metrics",
]

_PACKAGES = frozenset({"aws", "data_stores", "http"})
_HOMES = {
    "HealthCheck": "baselib.health",
    "Job": "baselib.worker",
    "Message": "baselib.worker",
    "Reject": "baselib.worker",
    "Worker": "baselib.worker",
    "capture_exception": "baselib.telemetry",
    "create_app": "baselib.web",
    "log_fields": "baselib.telemetry",
    "metrics": "baselib.telemetry",
}
__getattr__ = lazy_names(__name__, _HOMES, _PACKAGES)

"""The library under every service of the fleet.

The names below are imported when they are first used, so that a service pays only for what it runs.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baselib import aws, data_stores, http
    from baselib.health import HealthCheck
    from baselib.telemetry import capture_exception
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
    "metrics": "baselib.telemetry",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415 - only paid for when a name is asked for

    if name in _PACKAGES:
        return import_module(f"baselib.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'baselib' has no attribute {name!r}")

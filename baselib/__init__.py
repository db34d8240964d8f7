"""The library under every service of the fleet.

The names below are imported when they are first used, so that a service pays only for what it runs.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baselib import aws
    from baselib.health import HealthCheck
    from baselib.telemetry import metrics
    from baselib.web import create_app
    from baselib.worker import Job, Message, Reject, Worker

__all__ = ["HealthCheck", "Job", "Message", "Reject", "Worker", "aws", "create_app", "metrics"]

_HOMES = {
    "HealthCheck": "baselib.health",
    "Job": "baselib.worker",
    "Message": "baselib.worker",
    "Reject": "baselib.worker",
    "Worker": "baselib.worker",
    "create_app": "baselib.web",
    "metrics": "baselib.telemetry",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415 - only paid for when a name is asked for

    if name == "aws":
        return import_module("baselib.aws")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'baselib' has no attribute {name!r}")

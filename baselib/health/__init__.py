"""Health: the checks of a service, and the four endpoints that every service answers.

>>> from baselib.health import HealthCheck, HealthChecks
>>> checks = HealthChecks()
>>> checks.add(HealthCheck("cache", lambda: None, hard=False))
>>> checks.results()["cache"].healthy
True

The names are imported when they are first used: the container's health check, a process of its own every few seconds,
needs none of them.
"""

from typing import TYPE_CHECKING

from baselib.lazy import lazy_names

if TYPE_CHECKING:
    from baselib.health.checks import CheckResult, HealthCheck, StartUp
    from baselib.health.endpoints import HealthEndpoints
    from baselib.health.registry import HealthChecks

__all__ = ["CheckResult", "HealthCheck", "HealthChecks", "HealthEndpoints", "StartUp"]

_HOMES = {
    "CheckResult": "baselib.health.checks",
    "HealthCheck": "baselib.health.checks",
    "HealthChecks": "baselib.health.registry",
    "HealthEndpoints": "baselib.health.endpoints",
    "StartUp": "baselib.health.checks",
}
__getattr__ = lazy_names(__name__, _HOMES)

"""Health: the checks of a service, and the four endpoints that every service answers.

>>> from baselib.health import HealthCheck, HealthChecks
>>> checks = HealthChecks()
>>> checks.add(HealthCheck("cache", lambda: None, hard=False))
>>> checks.results()["cache"].healthy
True
"""

from baselib.health.checks import CheckResult, HealthCheck, HealthChecks
from baselib.health.endpoints import HealthEndpoints

__all__ = ["CheckResult", "HealthCheck", "HealthChecks", "HealthEndpoints"]

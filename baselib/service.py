"""What web and worker services have in common: settings, telemetry, AWS clients and health checks, set up once."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

from baselib.aws import configure_aws
from baselib.contract import ConfigurationError, Needs, Settings
from baselib.data_stores import data_store_check
from baselib.health import HealthCheck, HealthChecks
from baselib.http import dependency_check
from baselib.telemetry import configure_telemetry

_Check = TypeVar("_Check", bound=Callable[[], object])


def read_settings(needs: Needs | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings, or the end of the process with a line on standard error for each mistake.

    Args:
        needs: What the service declared that it needs.
        environ: The environment variables; `os.environ` when None.

    Raises:
        ConfigurationError: A variable is wrong or missing.
    """
    try:
        return Settings.from_environment(os.environ if environ is None else environ, needs)
    except ConfigurationError as error:
        # Logs are not set up yet: their form is one of the settings.
        sys.stderr.write(f"{error}\n")
        error.told = True
        raise


class Service:
    """A service that has read its settings and is ready to be served or run.

    Args:
        needs: What it declared that it needs.
        environ: The environment variables; `os.environ` when None.

    Attributes:
        settings: Its checked settings.
        checks: Its health checks: one for each declared data store and dependency, and its own.

    Raises:
        ConfigurationError: A variable is wrong or missing; one line for each has been written to standard error.
    """

    def __init__(self, needs: Needs, environ: Mapping[str, str] | None = None) -> None:
        self.settings = read_settings(needs, environ)
        configure_telemetry(self.settings)
        configure_aws(self.settings)
        self.checks = HealthChecks()
        for data_store, url in self.settings.data_store_urls.items():
            self.checks.add(data_store_check(data_store, url))
        for dependency, url in self.settings.dependency_urls.items():
            self.checks.add(dependency_check(dependency, url, hard=dependency in needs.hard_dependencies))

    def health_check(
        self, name: str, *, hard: bool = True, required_for_traffic: bool = False, timeout: float = 2.0
    ) -> Callable[[_Check], _Check]:
        """Register the decorated function as a health check: it returns when all is well and raises when not.

        Args:
            name: What is checked.
            hard: Whether the service cannot work without it.
            required_for_traffic: Whether its failure takes the task out of the load balancer.
            timeout: Seconds after which it counts as failed.
        """

        def register(check: _Check) -> _Check:
            self.checks.add(HealthCheck(name, check, hard, required_for_traffic, timeout))
            return check

        return register

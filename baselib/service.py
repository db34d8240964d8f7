"""What web and worker services have in common: settings, telemetry, AWS clients and health checks, set up once."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

from baselib import dns
from baselib.aws import CredentialPolicyError, configure_aws, refuse_static_keys
from baselib.contract import ConfigurationError, Needs, Settings
from baselib.health import HealthCheck, HealthChecks, StartUp
from baselib.telemetry import configure_telemetry

_Function = TypeVar("_Function", bound=Callable[[], object])


def read_settings(needs: Needs | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings, or the end of the process with a line on standard error for each mistake.

    Args:
        needs: What the service declared that it needs.
        environ: The environment variables; `os.environ` when None.

    Raises:
        ConfigurationError: A variable is wrong or missing.
    """
    variables = os.environ if environ is None else environ
    try:
        settings = Settings.from_environment(variables, needs)
        _refuse_static_keys(variables)
    except ConfigurationError as error:
        # Logs are not set up yet: their form is one of the settings.
        sys.stderr.write(f"{error}\n")
        error.told = True
        raise
    return settings


def _refuse_static_keys(environ: Mapping[str, str]) -> None:
    try:
        refuse_static_keys(environ)
    except CredentialPolicyError as refused:
        raise ConfigurationError([str(refused)]) from None


class Service:
    """A service that has read its settings and is ready to be served or run.

    Args:
        needs: What it declared that it needs.
        environ: The environment variables; `os.environ` when None.
        threads: How many threads of a process work at a time; those of a gunicorn worker when None.

    Attributes:
        needs: What it declared that it needs.
        settings: Its checked settings.
        checks: Its health checks: one for each declared data store and dependency, and its own; and its start-up
            functions.

    Raises:
        ConfigurationError: A variable is wrong or missing; one line for each has been written to standard error.
    """

    def __init__(self, needs: Needs, environ: Mapping[str, str] | None = None, *, threads: int | None = None) -> None:
        self.needs = needs
        self.settings = read_settings(needs, environ)
        # First, because what follows looks up names.
        dns.install()
        configure_telemetry(self.settings)
        configure_aws(self.settings, threads=threads)
        self.checks = HealthChecks()
        if needs.data_stores:
            self._add_data_stores(threads)
        if needs.hard_dependencies or needs.soft_dependencies:
            self._add_dependencies(needs, threads)

    def _add_data_stores(self, threads: int | None) -> None:
        from baselib.data_stores import configure_data_stores, data_store_check  # noqa: PLC0415 - only where declared

        configure_data_stores(self.settings, threads=threads)
        for data_store, url in self.settings.data_store_urls.items():
            self.checks.add(data_store_check(data_store, url))

    def _add_dependencies(self, needs: Needs, threads: int | None) -> None:
        from baselib.http import configure_http, dependency_check  # noqa: PLC0415 - only where declared

        configure_http(self.settings, soft=needs.soft_dependencies, threads=threads)
        for dependency, url in self.settings.dependency_urls.items():
            self.checks.add(dependency_check(dependency, url, hard=dependency in needs.hard_dependencies))

    def health_check(
        self,
        name: str,
        *,
        hard: bool = True,
        required_for_traffic: bool = False,
        timeout: float = 2.0,
        interval: float = 10.0,
    ) -> Callable[[_Function], _Function]:
        """Register the decorated function as a health check: it returns when all is well and raises when not.

        Args:
            name: What is checked.
            hard: Whether the service cannot work without it.
            required_for_traffic: Whether its failure takes the task out of the load balancer.
            timeout: Seconds after which it counts as failed.
            interval: Seconds between two runs while it is healthy. `service.checks.add(HealthCheck(...))` has more.
        """

        def register(check: _Function) -> _Function:
            self.checks.add(HealthCheck(name, check, hard, required_for_traffic, timeout, interval))
            return check

        return _decorator(name, register)

    def start_up(self, name: str, *, retry: float = 1.0) -> Callable[[_Function], _Function]:
        """Register the decorated function as one that must have succeeded once before the process is ready.

        Args:
            name: What it does.
            retry: Seconds before it is tried again; doubled at each further failure, up to 30.
        """

        def register(function: _Function) -> _Function:
            self.checks.add_start_up(StartUp(name, function, retry))
            return function

        return _decorator(name, register)


def _decorator(name: object, register: Callable[[_Function], _Function]) -> Callable[[_Function], _Function]:
    if not isinstance(name, str):
        # Without parentheses the function would silently be lost.
        raise TypeError(f"a name is required: @service.health_check(name), not {name!r}")
    return register

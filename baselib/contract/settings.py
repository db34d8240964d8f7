"""Settings: everything a service is told through its environment, checked once at start.

>>> settings = Settings.from_environment(
...     {"SERVICE_PRODUCT": "duolingo", "SERVICE_NAME": "api", "SERVICE_OWNER": "platform", "PORT": "8000"}
... )
>>> settings.port, settings.environment, settings.statsd_host
(8000, 'local', None)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from baselib.contract import timing
from baselib.contract.endpoints import HEALTH_PORT, WEB_PORT
from baselib.contract.errors import ConfigurationError
from baselib.contract.names import NameRuleError, ServiceName, queue_url_variable
from baselib.contract.timing import StopBudget
from baselib.contract.variables import VARIABLES, Variable

Kind = Literal["web", "worker-daemon", "worker-cron"]
LogFormat = Literal["json", "console"]
Dialect = Literal["dogstatsd", "statsd"]
DataStore = Literal["postgres", "redis", "memcached", "elasticsearch"]

MASK: Final = "***"
"""What stands for a secret, wherever something is shown."""

# What may not stand in a token: RFC 9110, section 5.6.2.
_NO_TOKEN: Final = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]")


DATA_STORE_VARIABLES: Final[Mapping[DataStore, str]] = MappingProxyType(
    {
        "postgres": "DATABASE_URL",
        "redis": "REDIS_URL",
        "memcached": "MEMCACHED_URL",
        "elasticsearch": "ELASTICSEARCH_URL",
    }
)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a service declares that it needs; each need makes variables required.

    Args:
        kind: What sort of service it is.
        queue: Whether it consumes the queue at `QUEUE_URL`.
        queues: The names of further queues it uses.
        data_stores: The data stores it uses.
        hard_dependencies: The services, as `product-service`, that it cannot work without.
        soft_dependencies: Those it can do without for a while.

    Raises:
        NameRuleError: A dependency's or a queue's name breaks a rule.
        ValueError: A data store is none of the contract's.
    """

    kind: Kind = "web"
    queue: bool = False
    queues: tuple[str, ...] = ()
    data_stores: tuple[DataStore, ...] = ()
    hard_dependencies: tuple[str, ...] = ()
    soft_dependencies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for dependency in (*self.hard_dependencies, *self.soft_dependencies):
            ServiceName.parse(dependency)
        for queue in self.queues:
            queue_url_variable(queue)
        for data_store in self.data_stores:
            if data_store not in DATA_STORE_VARIABLES:
                raise ValueError(f"{data_store!r} is not one of {', '.join(DATA_STORE_VARIABLES)}")

    @property
    def budget(self) -> StopBudget:
        """How long this kind of service takes to stop when the environment does not say."""
        return timing.WEB if self.kind == "web" else timing.WORKER


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The checked settings of a process; see `VARIABLES` for the variable behind each."""

    product: str
    service: str
    owner: str
    environment: str = "local"
    release: str = "dev"
    port: int = WEB_PORT
    web_concurrency: int | None = None
    web_threads: int = 4
    log_level: str = "INFO"
    log_format: LogFormat | None = None
    statsd_host: str | None = None
    statsd_port: int = 8125
    statsd_dialect: Dialect = "dogstatsd"
    log_masked_fields: tuple[str, ...] = ()
    sentry_dsn: str | None = field(default=None, repr=False)
    aws_region: str | None = None
    aws_endpoint_url: str | None = None
    queue_urls: Mapping[str | None, str] = field(default_factory=dict)
    coordination_table: str | None = None
    payload_bucket: str | None = None
    health_port: int = HEALTH_PORT
    health_token: str | None = field(default=None, repr=False)
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    request_seconds: float = timing.REQUEST_SECONDS
    drain_seconds: float = timing.WEB.drain_seconds
    stop_seconds: float = timing.WEB.stop_seconds
    memory_limit_mib: int | None = None
    memory_trace_frames: int = 0
    database_credentials: str = "url"
    data_store_urls: Mapping[DataStore, str] = field(default_factory=dict, repr=False)
    dependency_urls: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> ServiceName:
        """The service's name, from which all others follow."""
        return ServiceName(self.product, self.service)

    @property
    def user_agent(self) -> str:
        """What other services and AWS are told of who calls: a product and its version (RFC 9110, section 10.1.5)."""
        # The release is any text, and a header is not.
        return f"{self.name.repository}/{_NO_TOKEN.sub('-', self.release)}"

    @property
    def identity(self) -> dict[str, str]:
        """What is stamped on every log line, error and AWS call."""
        return {
            "product": self.product,
            "service": self.service,
            "owner": self.owner,
            "environment": self.environment,
            "release": self.release,
        }

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], needs: Needs | None = None) -> "Settings":
        """Read and check the variables of the contract.

        Args:
            environ: The environment variables, usually `os.environ`.
            needs: What the service declared; a web service without needs when None.

        Raises:
            ConfigurationError: One line for each wrong or missing variable.
        """
        return _Reader(environ, needs or Needs()).settings()


# Variables that need not be set, and the field of each.
_OPTIONAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SERVICE_ENVIRONMENT": "environment",
        "SERVICE_RELEASE": "release",
        **{
            name: name.lower()
            for name in (
                "PORT",
                "WEB_CONCURRENCY",
                "WEB_THREADS",
                "LOG_LEVEL",
                "LOG_FORMAT",
                "STATSD_HOST",
                "STATSD_PORT",
                "STATSD_DIALECT",
                "LOG_MASKED_FIELDS",
                "SENTRY_DSN",
                "AWS_REGION",
                "AWS_ENDPOINT_URL",
                "COORDINATION_TABLE",
                "PAYLOAD_BUCKET",
                "HEALTH_PORT",
                "HEALTH_TOKEN",
                "TRUSTED_PROXIES",
                "REQUEST_SECONDS",
                "DRAIN_SECONDS",
                "STOP_SECONDS",
                "MEMORY_LIMIT_MIB",
                "MEMORY_TRACE_FRAMES",
                "DATABASE_CREDENTIALS",
            )
        },
    }
)


class _Reader:
    """Reads all variables before it complains, so that one start shows every mistake."""

    def __init__(self, environ: Mapping[str, str], needs: Needs) -> None:
        self._environ = environ
        self._needs = needs
        self._problems: list[str] = []

    def settings(self) -> Settings:
        needs = self._needs
        values: dict[str, Any] = {
            "product": self._required("SERVICE_PRODUCT"),
            "service": self._required("SERVICE_NAME"),
            "owner": self._required("SERVICE_OWNER"),
            "drain_seconds": float(needs.budget.drain_seconds),
            "stop_seconds": float(needs.budget.stop_seconds),
            **self._given(),
            "queue_urls": self._queue_urls(),
            "data_store_urls": {
                data_store: self._required(DATA_STORE_VARIABLES[data_store]) for data_store in needs.data_stores
            },
            "dependency_urls": self._dependency_urls(),
        }
        self._check_together(values)
        if self._problems:
            raise ConfigurationError(self._problems)
        return Settings(**values)

    def _given(self) -> dict[str, Any]:
        """What is set of that which need not be; for the rest the defaults of `Settings` count."""
        return {
            field_name: self._parsed(variable, VARIABLES[variable])
            for variable, field_name in _OPTIONAL.items()
            if self._environ.get(variable)
        }

    def _queue_urls(self) -> dict[str | None, str]:
        urls: dict[str | None, str] = {}
        if self._needs.queue:
            urls[None] = self._required("QUEUE_URL")
        for queue in self._needs.queues:
            urls[queue] = self._required(queue_url_variable(queue), like="QUEUE_URL")
        return urls

    def _dependency_urls(self) -> dict[str, str]:
        urls: dict[str, str] = {}
        for dependency in self._needs.hard_dependencies:
            urls[dependency] = self._required(ServiceName.parse(dependency).url_variable, like="AWS_ENDPOINT_URL")
        for dependency in self._needs.soft_dependencies:
            variable = ServiceName.parse(dependency).url_variable
            if self._environ.get(variable):
                urls[dependency] = self._parsed(variable, VARIABLES["AWS_ENDPOINT_URL"])
        return urls

    def _check_together(self, values: Mapping[str, Any]) -> None:
        if values["product"] is not None and values["service"] is not None:
            try:
                ServiceName(values["product"], values["service"])
            except NameRuleError as error:
                self._problems.append(f"SERVICE_NAME is {values['service']!r}: {error}")
        url = values["data_store_urls"].get("postgres")
        if url and values.get("database_credentials") == "iam" and not urlsplit(url).username:
            self._problems.append(
                f"DATABASE_URL is {MASK}: with DATABASE_CREDENTIALS=iam accepted is postgresql://user@host:port/database"
            )
        drain, stop = values["drain_seconds"], values["stop_seconds"]
        if drain is not None and stop is not None:
            total = drain + stop + timing.MARGIN_SECONDS
            if total > timing.MAXIMUM_STOP_TIMEOUT_SECONDS:
                self._problems.append(
                    f"DRAIN_SECONDS and STOP_SECONDS are {drain:g} and {stop:g}: with a margin of "
                    f"{timing.MARGIN_SECONDS} they may be at most {timing.MAXIMUM_STOP_TIMEOUT_SECONDS} seconds "
                    "together, which is ECS's longest stop timeout"
                )

    def _required(self, name: str, *, like: str | None = None) -> Any:
        variable = VARIABLES[like or name]
        if not self._environ.get(name):
            self._problems.append(f"{name} is not set: {variable.accepted} is required")
            return None
        return self._parsed(name, variable)

    def _parsed(self, name: str, variable: Variable) -> Any:
        text = self._environ[name]
        held = MASK if variable.secret or "@" in text else repr(text)
        try:
            return variable.parse(text)
        except NameRuleError as error:
            self._problems.append(f"{name} is {held}: {error}")
        except ValueError:
            self._problems.append(f"{name} is {held}: accepted is {variable.accepted}")
        return None

"""The environment variables of the contract: what each means, what it may hold, and what counts when it is not set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from baselib.contract import parsers, timing
from baselib.contract.endpoints import HEALTH_PORT, WEB_PORT
from baselib.contract.names import check_name


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable of the contract.

    Args:
        name: The variable, such as `PORT`.
        meaning: What it is for, as the documentation says it.
        accepted: What it may hold, as an error says it.
        when_unset: What then happens, as the documentation says it.
        parse: Turns the text into the value, or raises ValueError.
        secret: Whether its value may never be shown.
    """

    name: str
    meaning: str
    accepted: str
    when_unset: str
    parse: Callable[[str], Any]
    secret: bool = False


def _named(kind: str) -> Callable[[str], str]:
    return lambda text: check_name(kind, text)


VARIABLES: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        variable.name: variable
        for variable in (
            Variable("SERVICE_PRODUCT", "product", "a product's name", "required", _named("product")),
            Variable("SERVICE_NAME", "service", "a service's name", "required", _named("service")),
            Variable("SERVICE_OWNER", "team that owns the service", "a name", "required", parsers.text),
            Variable("SERVICE_ENVIRONMENT", "environment", "an environment's name", "`local`", _named("environment")),
            Variable("SERVICE_RELEASE", "what is deployed", "a version or commit", "`dev`", parsers.text),
            Variable("PORT", "port to listen on", "a port from 1 to 65535", f"{WEB_PORT}", parsers.port),
            Variable(
                "WEB_CONCURRENCY",
                "gunicorn worker processes",
                "a whole number from 1 to 256",
                "from the CPU share of the container",
                parsers.whole(1, 256),
            ),
            Variable(
                "WEB_THREADS",
                "threads of a gunicorn worker",
                "a whole number from 1 to 256",
                "4",
                parsers.whole(1, 256),
            ),
            Variable(
                "LOG_LEVEL",
                "least important log level",
                "DEBUG, INFO, WARNING, ERROR or CRITICAL",
                "`INFO`",
                parsers.one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", fold=str.upper),
            ),
            Variable(
                "LOG_FORMAT",
                "form of the log lines",
                "json or console",
                "console on a terminal, json otherwise",
                parsers.one_of("json", "console", fold=str.lower),
            ),
            Variable("STATSD_HOST", "where metrics go", "a host name or address", "metrics off", parsers.host),
            Variable("STATSD_PORT", "port of statsd", "a port from 1 to 65535", "8125", parsers.port),
            Variable(
                "STATSD_DIALECT",
                "form of the tags: DogStatsD's, which the CloudWatch agent reads too, or none, for the original statsd",
                "dogstatsd or statsd",
                "`dogstatsd`",
                parsers.one_of("dogstatsd", "statsd", fold=str.lower),
            ),
            Variable(
                "LOG_MASKED_FIELDS",
                "fields that logs mask besides those that they always mask",
                "names, separated by commas",
                "none",
                parsers.words,
            ),
            Variable(
                "SENTRY_DSN",
                "where errors go",
                "the https:// address of a Sentry project",
                "Sentry off",
                parsers.url("https", "http"),
                secret=True,
            ),
            Variable(
                "AWS_REGION",
                "AWS region",
                "a region such as us-east-1",
                "the SDK's own rules; required in a worker daemon",
                parsers.text,
            ),
            Variable(
                "AWS_ENDPOINT_URL",
                "embedded AWS, locally",
                "an http:// or https:// address",
                "AWS itself",
                parsers.url("https", "http"),
            ),
            Variable(
                "QUEUE_URL",
                "queue of a worker daemon",
                "the http:// or https:// address of an SQS queue",
                "required where the service declared a queue",
                parsers.url("https", "http"),
            ),
            # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
            Variable(
                "COORDINATION_TABLE",
                "DynamoDB table in which tasks agree who does what: locks of cron jobs, and messages already handled",
                "the name of a DynamoDB table",
                "no such locks, no such records",
                parsers.matching(r"[A-Za-z0-9_.-]{3,255}"),
            ),
            # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
            Variable(
                "PAYLOAD_BUCKET",
                "S3 bucket for the bodies of messages that are too large for SQS",
                "the name of an S3 bucket",
                "a message that is too large is refused",
                parsers.matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
            ),
            Variable(
                "HEALTH_PORT",
                "port of a worker daemon's endpoints",
                "a port from 1 to 65535",
                f"{HEALTH_PORT}",
                parsers.port,
            ),
            Variable(
                "HEALTH_TOKEN",
                "opens the detail endpoints",
                "16 to 4096 visible ASCII characters",
                "only private callers get them",
                parsers.token,
                secret=True,
            ),
            Variable(
                "TRUSTED_PROXIES",
                "proxies between the caller and the load balancer, whose entries in X-Forwarded-For are believed",
                "addresses and networks such as 10.0.0.0/8, separated by commas",
                "none: every entry must be private",
                parsers.networks,
            ),
            Variable(
                "REQUEST_SECONDS",
                "time budget of a request: calls made for it end before, and one that takes longer is reported as hung",
                "a number of seconds from 1 to 3600",
                f"{timing.REQUEST_SECONDS}",
                parsers.decimal(1, 3600),
            ),
            Variable(
                "DRAIN_SECONDS",
                "time in which the load balancer learns that the task stops",
                "a number of seconds from 0 to 120",
                f"{timing.WEB.drain_seconds}; a worker does not drain",
                parsers.seconds,
            ),
            Variable(
                "STOP_SECONDS",
                "time in which work in flight finishes",
                "a number of seconds from 0 to 120",
                f"{timing.WEB.stop_seconds}, {timing.WORKER.stop_seconds} in a worker",
                parsers.seconds,
            ),
            Variable(
                "MEMORY_LIMIT_MIB",
                "100 % of the memory allocation",
                "a whole number of MiB from 16, or 0 for no guard",
                "85 % of the hard limit",
                parsers.whole_or_zero(16, 1 << 24),
            ),
            Variable(
                "MEMORY_TRACE_FRAMES",
                "allocation snapshot when memory is over the limit: how many frames of each allocation are kept",
                "a whole number from 0 to 50",
                "0, no snapshot: it costs time and memory",
                parsers.whole(0, 50),
            ),
            Variable(
                "DATABASE_URL",
                "postgres",
                "postgresql://user:password@host:port/database",
                "required where declared",
                parsers.url("postgresql", "postgres"),
                secret=True,
            ),
            Variable(
                "DATABASE_CREDENTIALS",
                "where user and password of postgres come from",
                "url, iam, or the ARN of a Secrets Manager secret",
                "`url`: they are in `DATABASE_URL`",
                parsers.credentials,
            ),
            Variable(
                "REDIS_URL",
                "redis",
                "redis://host:port or rediss://host:port",
                "required where declared",
                parsers.url("redis", "rediss"),
                secret=True,
            ),
            Variable(
                "MEMCACHED_URL",
                "memcached",
                "memcached://host:port",
                "required where declared",
                parsers.url("memcached"),
                secret=True,
            ),
            Variable(
                "ELASTICSEARCH_URL",
                "elasticsearch",
                "an http:// or https:// address",
                "required where declared",
                parsers.url("https", "http"),
                secret=True,
            ),
        )
    }
)

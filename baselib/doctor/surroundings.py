"""What the configuration amounts to in this container: memory, CPUs, credentials, where telemetry goes."""

import platform
import socket
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

from baselib import container
from baselib.aws.task_role import CredentialPolicyError, endpoint
from baselib.contract import CONTRACT, Needs, Settings
from baselib.contract.timing import MARGIN_SECONDS, MAXIMUM_STOP_TIMEOUT_SECONDS
from baselib.doctor.once import run_once
from baselib.doctor.report import Finding
from baselib.health import HealthCheck
from baselib.memory import memory_limit
from baselib.memory.limit import MEBIBYTE

_RESOLVING: Final = "resolves STATSD_HOST"
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
_DEFAULT_STOP_TIMEOUT_SECONDS: Final = 30


def surroundings(environ: Mapping[str, str], settings: Settings | None, needs: Needs | None) -> Iterator[Finding]:
    """What follows in this container; a finding that is wrong says what is.

    Args:
        environ: The environment variables.
        settings: What they amount to; None where they are wrong.
        needs: What the service declared; None where that is not known.
    """
    yield Finding("baselib", version("baselib"), f"Python {platform.python_version()}")
    yield Finding("ECS", "yes" if container.on_ecs(environ) else "no", "the variables that its agent sets")
    yield Finding("CPUs", f"{container.cpu_limit():g}", "control group and machine")
    yield from _memory(environ, settings)
    yield _credentials(environ)
    if settings is None:
        return
    count = workers(settings, needs)
    if count is not None:
        source = "gunicorn, for a web service" if needs is None else "gunicorn"
        yield Finding("workers", f"{count} of {settings.web_threads} threads", source)
    yield _statsd(settings)
    yield _sentry(settings)
    if needs is not None and needs.kind != "worker-cron":
        yield _stop(settings, needs)


def workers(settings: Settings, needs: Needs | None) -> int | None:
    """How many processes gunicorn has; None for a service that it does not run, and where it is not installed.

    Args:
        settings: The settings.
        needs: What the service declared; None where that is not known.
    """
    if needs is not None and needs.kind != "web":
        return None
    try:
        from baselib.web.gunicorn_options import worker_count  # noqa: PLC0415 - an image of a worker has no gunicorn
    except ImportError:
        return None
    return worker_count(settings)


def _memory(environ: Mapping[str, str], settings: Settings | None) -> Iterator[Finding]:
    group, of_task = container.memory(), container.ecs_memory_limit(environ)
    of_group = group.limit_bytes if group is not None else None
    used = group.used_bytes if group is not None else container.working_set()
    yield Finding("memory used", _mebibytes(used), "working set of the control group")
    yield Finding("hard limit", _mebibytes(of_group), "control group")
    if container.on_ecs(environ):
        yield Finding("hard limit", _mebibytes(of_task), "ECS task metadata")
    if settings is None:
        return
    limit = memory_limit(settings)
    hard = min((each for each in (of_group, of_task) if each is not None), default=None)
    if limit is None:
        yield Finding("100 % of memory", "-", "no limit is known, or it is 0: nothing is restarted for its memory")
    elif hard is not None and limit >= hard:
        told = f"MEMORY_LIMIT_MIB is not below the hard limit of {_mebibytes(hard)}: the kernel kills first"
        yield Finding("100 % of memory", _mebibytes(limit), told, wrong=True)
    else:
        full = used is not None and used >= limit
        source = "MEMORY_LIMIT_MIB" if settings.memory_limit_mib is not None else "85 % of the hard limit"
        yield Finding("100 % of memory", _mebibytes(limit), f"{source}: reached" if full else source, wrong=full)


def _mebibytes(count: int | None) -> str:
    return "-" if count is None else f"{count // MEBIBYTE} MiB"


def _credentials(environ: Mapping[str, str]) -> Finding:
    """As `baselib.aws.credentials` decides; that static keys on ECS are refused is told with the configuration."""
    try:
        asked = endpoint(environ)
    except CredentialPolicyError as refused:
        return Finding("AWS credentials", "-", str(refused), wrong=True)
    of_container = f"container endpoint {urlsplit(asked).hostname}" if asked is not None else ""
    if container.on_ecs(environ):
        lacking = "the task has no role, and the instance's is not used"
        return Finding("AWS credentials", "task role" if asked else "-", of_container or lacking, wrong=not asked)
    for variable, value in (("AWS_ACCESS_KEY_ID", "static keys"), ("AWS_PROFILE", "profile")):
        if environ.get(variable):
            return Finding("AWS credentials", value, f"{variable}; not accepted on ECS")
    return Finding(
        "AWS credentials", "role" if asked else "-", of_container or "the SDK's own rules; no instance's role"
    )


def _statsd(settings: Settings) -> Finding:
    host, port = settings.statsd_host, settings.statsd_port
    if host is None:
        return Finding("metrics", "off", "STATSD_HOST is not set")
    found: list[str] = []

    def resolve() -> None:
        found.extend(str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM))

    (answer,) = run_once([HealthCheck(_RESOLVING, resolve, timeout=3.0)])
    if answer.error:
        return Finding("metrics", f"{host}:{port}", f"STATSD_HOST cannot be resolved: {answer.error}", wrong=True)
    return Finding("metrics", f"{host}:{port}", f"resolves to {found[0]}; {settings.statsd_dialect}")


def _sentry(settings: Settings) -> Finding:
    if settings.sentry_dsn is None:
        return Finding("Sentry", "off", "SENTRY_DSN is not set")
    return Finding("Sentry", urlsplit(settings.sentry_dsn).hostname or "-", "SENTRY_DSN")


def _stop(settings: Settings, needs: Needs) -> Finding:
    # A worker does not drain: it has nobody who would have to learn of it.
    drain = settings.drain_seconds if needs.kind == "web" else 0.0
    total = drain + settings.stop_seconds + MARGIN_SECONDS
    value = f"{drain:g} + {settings.stop_seconds:g} + {MARGIN_SECONDS} = {total:g} s"
    case = next((each for each in _cases(needs) if total <= each["stop_timeout"]), None)
    timeout = case["stop_timeout"] if case is not None else MAXIMUM_STOP_TIMEOUT_SECONDS
    default = "ECS's default" if timeout == _DEFAULT_STOP_TIMEOUT_SECONDS else f"stop_timeout = {timeout} in Terraform"
    return Finding("drain, stop, margin", value, f"fits into {timeout} s: {default}")


def _cases(needs: Needs) -> list[dict[str, int]]:
    cases = CONTRACT["timing"]["cases"]
    names = ("web_on_demand", "web_on_spot") if needs.kind == "web" else ("worker_daemon",)
    return [cases[name] for name in names]

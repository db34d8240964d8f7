"""What a service declared that it needs, and where it finds each."""

from collections.abc import Iterator, Mapping
from typing import Any

from baselib.contract import VARIABLES, Kind, Needs, ServiceName
from baselib.contract.names import queue_url_variable
from baselib.contract.settings import DATA_STORE_VARIABLES
from baselib.data_stores.reachability import address
from baselib.doctor.configuration import shown
from baselib.doctor.report import Finding
from baselib.service import Service


def needs_of(service: Service, found: Any = None) -> Needs:
    """What a service declared.

    Args:
        service: The service.
        found: The application, Worker or Job that has it.
    """
    declared = getattr(service, "needs", None)
    return declared if isinstance(declared, Needs) else _reconstructed(service, found)


def needs_findings(environ: Mapping[str, str], needs: Needs) -> Iterator[Finding]:
    """A finding for each need, with the variable that says where it is.

    Args:
        environ: The environment variables.
        needs: What the service declared.
    """
    for data_store in needs.data_stores:
        variable = DATA_STORE_VARIABLES[data_store]
        yield _finding(environ, data_store, variable, "data store")
    for queue in ((None,) if needs.queue else ()) + needs.queues:
        yield _finding(environ, f"queue {queue}" if queue else "queue", queue_url_variable(queue), "")
    for kind, dependencies in (("hard", needs.hard_dependencies), ("soft", needs.soft_dependencies)):
        for dependency in dependencies:
            yield _finding(environ, dependency, ServiceName.parse(dependency).url_variable, f"{kind} dependency")


def _finding(environ: Mapping[str, str], name: str, variable: str, kind: str) -> Finding:
    text = environ.get(variable)
    source = f"{variable}, {kind}" if kind else variable
    if not text:
        return Finding(name, "-", f"{source}: not set", wrong=not kind.startswith("soft"))
    return Finding(name, _place(variable, text), source)


def _place(variable: str, text: str) -> str:
    """Only host and port where the rest is a secret: who is on call has to know where it leads."""
    if variable in DATA_STORE_VARIABLES.values() or "@" in text:
        try:
            text = ":".join(map(str, address(text)))
        except (ValueError, KeyError):
            return "***"
    return shown(VARIABLES["AWS_ENDPOINT_URL"], text)


def _reconstructed(service: Service, found: Any) -> Needs:
    """From the settings, which do not know a soft dependency without an address."""
    settings = service.settings
    hard = {check.name for check in service.checks.checks() if check.hard}
    kind: Kind = "worker-daemon" if None in settings.queue_urls else "web"
    # A Job; an application has its service among its extensions.
    if kind == "web" and getattr(found, "service", None) is service:
        kind = "worker-cron"
    return Needs(
        kind=kind,
        queue=None in settings.queue_urls,
        queues=tuple(queue for queue in settings.queue_urls if queue is not None),
        data_stores=tuple(settings.data_store_urls),
        hard_dependencies=tuple(each for each in settings.dependency_urls if each in hard),
        soft_dependencies=tuple(each for each in settings.dependency_urls if each not in hard),
    )

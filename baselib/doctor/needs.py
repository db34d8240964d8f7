"""What a service declared that it needs, and where it finds each."""

from collections.abc import Iterator, Mapping

from baselib.contract import VARIABLES, Needs, ServiceName
from baselib.contract.names import queue_url_variable
from baselib.contract.settings import DATA_STORE_VARIABLES
from baselib.data_stores.reachability import address
from baselib.doctor.configuration import shown
from baselib.doctor.report import Finding


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

"""The environment of a service on a developer's machine and in its tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from baselib.contract import ServiceName
from baselib.contract.settings import DATA_STORE_VARIABLES

ANSWERS_FILE: Final = ".copier-answers.yml"

_DATA_STORES: Final[Mapping[str, str]] = {
    "postgres": "postgresql://postgres:postgres@127.0.0.1:5432/postgres",
    "redis": "redis://127.0.0.1:6379/0",
    "memcached": "memcached://127.0.0.1:11211",
    "elasticsearch": "http://127.0.0.1:9200",
}
# The discard port: where nobody answers, so that the health endpoint says truly that the dependency is not here.
_NOBODY: Final = "http://127.0.0.1:9"


def read_answers(folder: Path) -> dict[str, Any] | None:
    """What the service was copied with; None where the folder was not copied from the template.

    Args:
        folder: The root of the service's repository.
    """
    import yaml  # noqa: PLC0415 - comes with moto, which only tests and developers install

    file = folder / ANSWERS_FILE
    if not file.exists():
        return None
    answers: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return answers


def local_environment(answers: Mapping[str, Any]) -> dict[str, str]:
    """The contract's variables of a service that runs without AWS and Docker.

    Args:
        answers: What the service was copied with.
    """
    name = ServiceName(answers["product"], answers["service"])
    environment = {
        "SERVICE_PRODUCT": name.product,
        "SERVICE_NAME": name.service,
        "SERVICE_OWNER": str(answers["owner"]),
        "SERVICE_ENVIRONMENT": "local",
        "AWS_REGION": "us-east-1",
    }
    if answers["kind"] == "worker-daemon":
        environment["QUEUE_URL"] = f"{_NOBODY}/123456789012/{name.resource('queue', environment='local')}"
    for data_store in answers.get("data_stores") or []:
        environment[DATA_STORE_VARIABLES[data_store]] = _DATA_STORES[data_store]
    for dependency in [*(answers.get("hard_dependencies") or []), *(answers.get("soft_dependencies") or [])]:
        environment[ServiceName.parse(dependency).url_variable] = _NOBODY
    return environment

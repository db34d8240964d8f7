"""Whether another service answers: the health check that each declared dependency gets by itself."""

from typing import Final
from urllib.parse import urlsplit

from baselib.contract.endpoints import LIVE
from baselib.health import HealthCheck

_TIMEOUT_SECONDS: Final = 1.5


def dependency_check(dependency: str, url: str, *, hard: bool) -> HealthCheck:
    """A check that asks the other service whether it is alive; not whether it is ready, which would ask on in a circle.

    Args:
        dependency: The other service's name.
        url: Where it answers.
        hard: Whether this service cannot work without it.
    """
    parts = urlsplit(url)

    def ask() -> None:
        # Only paid for when it is asked: it brings the packages email and ssl.
        from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415

        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port or kind.default_port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("GET", parts.path.rstrip("/") + LIVE)
            status = connection.getresponse().status
        finally:
            connection.close()
        if status != 200:
            raise RuntimeError(f"{dependency} answered {status}")

    return HealthCheck(dependency, ask, hard=hard)

"""What the tests of outgoing HTTP share."""

from collections.abc import Callable, Iterator

import pytest

from baselib import dns
from baselib.contract import Settings
from baselib.http import DependencyClient, configure_http
from baselib.http import protected_calls as module
from tests.baselib.http.scripted import Scripted, Step

Serve = Callable[..., tuple[Scripted, DependencyClient]]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once; what is asked for by Retry-After is waited for all the same."""
    monkeypatch.setattr(module, "back_off", lambda retry: 0.0)


@pytest.fixture(autouse=True)
def _no_cache_of_names() -> Iterator[None]:
    dns.uninstall()
    yield
    dns.uninstall()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a scripted service, and gives it with a client of it."""
    servers: list[Scripted] = []
    clients: list[DependencyClient] = []

    def start(*script: Step, places: int = 3, **options: object) -> tuple[Scripted, DependencyClient]:
        servers.append(Scripted(*script, **options))  # type: ignore[arg-type]
        clients.append(DependencyClient("shop-stock", servers[-1].url, places=places, user_agent="duolingo-api/1"))
        return servers[-1], clients[-1]

    yield start
    for client in clients:
        client.close()
    for server in servers:
        server.close()


@pytest.fixture
def declared() -> Iterator[Callable[..., None]]:
    """Declares dependencies, until the end of the test."""
    yield configure_http
    configure_http(Settings(product="duolingo", service="api", owner="platform"))

"""One client for each declared dependency, shared by the threads of a process."""

import os
import threading
from collections.abc import Collection
from typing import Final

from baselib.contract import Settings
from baselib.http.bulkhead import places_for
from baselib.http.dependency import DependencyClient


class _Clients:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._declared: dict[str, DependencyClient] = {}

    def configure(self, settings: Settings, soft: Collection[str], threads: int) -> None:
        urls: dict[str, str | None] = {**dict.fromkeys(soft), **settings.dependency_urls}
        declared = {
            name: DependencyClient(name, url, places=places_for(threads), user_agent=settings.user_agent)
            for name, url in urls.items()
        }
        with self._lock:
            before, self._declared = self._declared, declared
        for old in before.values():
            old.close()

    def get(self, dependency: str) -> DependencyClient:
        found = self._declared.get(dependency)
        if found is None:
            names = ", ".join(sorted(self._declared)) or "none"
            raise LookupError(f"{dependency!r} is not a declared dependency of this service; declared are: {names}")
        return found

    def after_fork(self) -> None:
        self._lock = threading.Lock()


_clients: Final = _Clients()
os.register_at_fork(after_in_child=_clients.after_fork)


def configure_http(settings: Settings, *, soft: Collection[str] = (), threads: int | None = None) -> None:
    """Make the clients of the declared dependencies; no connection is opened yet.

    Args:
        settings: Gives the URLs and the identity in `User-Agent`.
        soft: The soft dependencies, those included that have no URL here.
        threads: The threads of this process that call; `WEB_THREADS` when None.
    """
    _clients.configure(settings, soft, settings.web_threads if threads is None else threads)


def client(dependency: str) -> DependencyClient:
    """The process's client of a declared dependency.

    Args:
        dependency: Its name, such as `duolingo-users`.

    Raises:
        LookupError: It was not declared, or the service has not been made yet.
    """
    return _clients.get(dependency)

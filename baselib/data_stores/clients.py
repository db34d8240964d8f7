"""One client for each declared data store, shared by the threads of a process and made anew in a forked one."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from baselib.contract import DataStore, Settings
from baselib.data_stores import elasticsearch_client, memcached_client, postgres_engine, redis_client
from baselib.data_stores.errors import UndeclaredDataStoreError
from baselib.data_stores.limits import CHECK_LIMITS, Limits, request_limits

if TYPE_CHECKING:
    from opensearchpy import OpenSearch
    from redis import Redis
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from baselib.data_stores.memcached_nodes import Memcached

_Purpose = Literal["requests", "checks"]


class _Maker(Protocol):
    """What each of the four modules offers."""

    def make(self, settings: Settings, url: str, limits: Limits) -> Any:
        """A client; connects to nothing yet."""

    def ping(self, client: Any) -> None:
        """Ask the data store something; raise when it does not answer well."""

    def after_fork(self, client: Any) -> None:
        """Forget the connections of the parent process without closing them."""

    def close(self, client: Any) -> None:
        """Close every connection."""


_MAKERS: Final[Mapping[DataStore, _Maker]] = MappingProxyType(
    {
        "postgres": postgres_engine,
        "redis": redis_client,
        "memcached": memcached_client,
        "elasticsearch": elasticsearch_client,
    }
)


class _Clients:
    """What has been made. The health checks have clients of their own: a busy pool is not an outage."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings: Settings | None = None
        self._threads = 1
        self._made: dict[tuple[DataStore, _Purpose], Any] = {}

    def configure(self, settings: Settings | None, threads: int) -> None:
        with self._lock:
            made, self._made = self._made, {}
            self._settings, self._threads = settings, threads
        for (data_store, _), client in made.items():
            _MAKERS[data_store].close(client)

    def after_fork(self) -> None:
        # The parent's thread that held the lock does not exist here.
        self._lock = threading.Lock()
        for (data_store, _), client in self._made.items():
            _MAKERS[data_store].after_fork(client)

    def declared(self, data_store: DataStore) -> bool:
        return self._settings is not None and data_store in self._settings.data_store_urls

    def get(self, data_store: DataStore, purpose: _Purpose = "requests") -> Any:
        key = (data_store, purpose)
        found = self._made.get(key)
        if found is not None:
            return found
        with self._lock:
            if key not in self._made:
                settings = self._settings
                if settings is None or data_store not in settings.data_store_urls:
                    raise UndeclaredDataStoreError(data_store)
                limits = request_limits(settings, self._threads) if purpose == "requests" else CHECK_LIMITS
                self._made[key] = _MAKERS[data_store].make(settings, settings.data_store_urls[data_store], limits)
            return self._made[key]

    def ping(self, data_store: DataStore) -> None:
        _MAKERS[data_store].ping(self.get(data_store, "checks"))


CLIENTS: Final = _Clients()
os.register_at_fork(after_in_child=CLIENTS.after_fork)


def configure_data_stores(settings: Settings, *, threads: int | None = None) -> None:
    """Make clients from now on for this service; those made before are closed.

    Args:
        settings: Gives the addresses, the time budget of a request and the identity.
        threads: How many requests or messages are handled at a time, which is the size of the pools;
            `settings.web_threads` when None.
    """
    CLIENTS.configure(settings, threads or settings.web_threads)


def postgres() -> "Engine":
    """The process's SQLAlchemy engine.

    Raises:
        UndeclaredDataStoreError: The service did not declare postgres.
        MissingExtraError: `baselib[postgres]` is not installed.
    """
    engine: Engine = CLIENTS.get("postgres")
    return engine


@contextmanager
def session() -> Iterator["Session"]:
    """A SQLAlchemy session in one transaction: committed at the end of the block, rolled back when it raises.

    What was loaded can be read after the block; it is not loaded again.

    Raises:
        UndeclaredDataStoreError: The service did not declare postgres.
        MissingExtraError: `baselib[postgres]` is not installed.
    """
    engine = postgres()
    from sqlalchemy.orm import Session  # noqa: PLC0415 - only services with postgres have it

    with Session(engine, expire_on_commit=False) as made, made.begin():
        yield made


def redis() -> "Redis":
    """The process's redis client, with a pool of connections.

    Raises:
        UndeclaredDataStoreError: The service did not declare redis.
        MissingExtraError: `baselib[redis]` is not installed.
    """
    client: Redis = CLIENTS.get("redis")
    return client


def memcached() -> "Memcached":
    """The process's memcached client. It is a cache and no more: a server that fails is a miss and never an exception.

    Raises:
        UndeclaredDataStoreError: The service did not declare memcached.
        MissingExtraError: `baselib[memcached]` is not installed.
    """
    client: Memcached = CLIENTS.get("memcached")
    return client


def elasticsearch() -> "OpenSearch":
    """The process's OpenSearch client.

    Raises:
        UndeclaredDataStoreError: The service did not declare elasticsearch.
        MissingExtraError: `baselib[elasticsearch]` is not installed.
    """
    client: OpenSearch = CLIENTS.get("elasticsearch")
    return client


def reset() -> None:
    """Close and forget every client and the settings, as tests do."""
    CLIENTS.configure(None, 1)

"""Whether a data store can be reached: the health check that each declared one gets by itself."""

import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from baselib.contract import DataStore
from baselib.health import HealthCheck

_TIMEOUT_SECONDS: Final = 1.5
_DEFAULT_PORTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "postgresql": 5432,
        "postgres": 5432,
        "redis": 6379,
        "rediss": 6379,
        "memcached": 11211,
        "https": 443,
        "http": 80,
    }
)


def data_store_check(data_store: DataStore, url: str) -> HealthCheck:
    """A check that connects to the data store's port; it does not log in.

    Args:
        data_store: For instance `postgres`.
        url: Its address, as the settings hold it.
    """
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme])

    def connect() -> None:
        with socket.create_connection(address, timeout=_TIMEOUT_SECONDS):
            pass

    return HealthCheck(data_store, connect)

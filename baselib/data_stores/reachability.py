"""Whether anybody listens at the address of a data store."""

import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from baselib.data_stores.limits import CHECK_LIMITS

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


def address(url: str) -> tuple[str, int]:
    """The host and the port of a data store.

    Args:
        url: Its address, as the settings hold it.

    >>> address("postgresql://user:word@db/main")
    ('db', 5432)
    """
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]


def connect(url: str) -> None:
    """Connect to the port, and hang up.

    Args:
        url: The data store's address, as the settings hold it.

    Raises:
        OSError: Nobody answered in time.
    """
    with socket.create_connection(address(url), timeout=CHECK_LIMITS.seconds):
        pass

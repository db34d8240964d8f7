"""A resolver and a clock that do what a test says."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from baselib import dns
from baselib.dns.cache import DnsCache
from tests.baselib.processes import PATIENCE_SECONDS


class Resolver:
    """Stands in for `socket.getaddrinfo`."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.address = "192.0.2.1"
        self.error: Exception | None = None
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, *key: Any) -> list[tuple[Any, ...]]:
        """Wait until it may go on, then answer or fail."""
        self.asked.append(key)
        assert self.go_on.wait(PATIENCE_SECONDS)
        if self.error is not None:
            raise self.error
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.address, key[1]))]


class Bench:
    """A cache before the resolver, on a clock of the test's own."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.resolver = Resolver()
        self.cache = DnsCache(self.resolver, lambda: self.now)

    def ask(self, host: str = "db.internal", **arguments: int) -> str:
        """The first address."""
        address: str = self.cache.getaddrinfo(host, 5432, **arguments)[0][4][0]
        return address

    def settled(self) -> bool:
        """Whether no look-up is in flight."""
        return not self.cache._lookups


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.resolver.go_on.set()


@pytest.fixture(autouse=True)
def _not_installed() -> Iterator[None]:
    dns.uninstall()
    yield
    dns.uninstall()


Install = Callable[[Any], None]


@pytest.fixture
def installed() -> Install:
    """Installs the cache, until the end of the test."""
    return dns.install

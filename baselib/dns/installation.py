"""Puts the cache in the place of `socket.getaddrinfo`, and takes it away again."""

import os
import socket
import threading
from typing import Any, Final

from baselib.dns.answers import Address, Resolver
from baselib.dns.cache import DnsCache


class _Installation:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cache: DnsCache | None = None
        self._original: Any = None
        self._replacement: Any = None

    @property
    def cache(self) -> DnsCache | None:
        return self._cache

    def install(self, resolver: Resolver | None) -> None:
        with self._lock:
            if self._cache is not None:
                return
            self._original = socket.getaddrinfo
            cache = DnsCache(resolver or socket.getaddrinfo)
            original = self._original

            def getaddrinfo(
                host: Any,
                port: Any,
                family: int = 0,
                type: int = 0,  # noqa: A002 - the interface of the standard library
                proto: int = 0,
                flags: int = 0,
            ) -> Any:
                # Others may have put a function of theirs around this one, and keep it.
                ask = cache.getaddrinfo if self._cache is cache else original
                return ask(host, port, family, type, proto, flags)

            self._cache = cache
            self._replacement = socket.getaddrinfo = getaddrinfo

    def uninstall(self) -> None:
        with self._lock:
            cache, self._cache = self._cache, None
            if cache is not None:
                cache.tell()
                if socket.getaddrinfo is self._replacement:
                    socket.getaddrinfo = self._original

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        if self._cache is not None:
            self._cache.after_fork()


_installation: Final = _Installation()
os.register_at_fork(after_in_child=_installation.after_fork)


def install(resolver: Resolver | None = None) -> None:
    """Answer `socket.getaddrinfo` from a cache from now on, for all of this process; nothing when it already does.

    Args:
        resolver: What is asked instead of `socket.getaddrinfo` as it is now; for tests.
    """
    _installation.install(resolver)


def uninstall() -> None:
    """Ask the resolver each time again; nothing when there is no cache."""
    _installation.uninstall()


def resolve(
    host: str,
    port: int,
    *,
    timeout: float,
    family: int = socket.AF_UNSPEC,
    type: int = socket.SOCK_STREAM,  # noqa: A002 - the standard library's word
) -> list[Address]:
    """The addresses of a host, within a time where the cache is installed; without it, as long as the resolver takes.

    Args:
        host: A name or an address.
        port: The port that the addresses shall have.
        timeout: Seconds to wait for a name that is not known yet.
        family: The address family, any by default.
        type: The kind of socket, `SOCK_STREAM` by default.

    Raises:
        TimeoutError: The resolver did not answer in time.
        OSError: As `socket.getaddrinfo`.
    """
    cache = _installation.cache
    if cache is None:
        return list(socket.getaddrinfo(host, port, family, type))
    return cache.resolve((host, port, family, type, 0, 0), timeout)

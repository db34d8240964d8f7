"""What a look-up came to: addresses or an error, and until when it counts."""

import socket
from collections.abc import Callable
from typing import Any, Final

Address = tuple[Any, ...]
Resolver = Callable[..., list[Address]]
Key = tuple[Any, Any, int, int, int, int]
"""The arguments of `getaddrinfo`: host, port, family, type, protocol and flags."""

FRESH_SECONDS: Final = 5.0
"""For how long an address is given without asking again: an Aurora failover must be followed within 5 s."""

REFRESH_SECONDS: Final = 4.0
"""The age from which an address that is in use is asked for again, by a thread that nobody waits for."""

STALE_SECONDS: Final = 300.0
"""For how long the last address is given while the resolver fails; RFC 8767 is the precedent."""

FAILURE_SECONDS: Final = 1.0
"""For how long a failure is given without asking again, the least that RFC 9520 (section 3.2) allows."""

# The resolver has answered: there is no such name, or none of this family. Anything else says that it did not.
_DEFINITE: Final = {
    code for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if (code := getattr(socket, name, None)) is not None
}


class Answer:
    """What one look-up came to.

    Args:
        asked: When the look-up began, on the cache's clock: what it says was true then or later.
        addresses: What the resolver returned.
        error: What it raised instead.
    """

    __slots__ = ("_addresses", "_error", "asked", "failed", "fresh_until", "refresh_from")

    def __init__(self, asked: float, addresses: list[Address] | None, error: Exception | None = None) -> None:
        self.asked = asked
        self._addresses = addresses
        self._error = error
        # When the resolver last failed to replace this answer.
        self.failed = float("-inf")
        self.fresh_until = asked + FRESH_SECONDS
        self.refresh_from = asked + REFRESH_SECONDS

    def fails_until(self, until: float) -> None:
        """Count for as long as a failure does."""
        self.refresh_from = self.fresh_until = until

    @property
    def found(self) -> bool:
        """Whether there are addresses."""
        return self._error is None

    @property
    def definite(self) -> bool:
        """Whether the resolver has spoken; not when it was silent or broken."""
        error = self._error
        return error is None or (isinstance(error, socket.gaierror) and error.errno in _DEFINITE)

    @property
    def kept(self) -> bool:
        """Whether it can be given to the next caller; not what a wrong argument came to."""
        return self._error is None or isinstance(self._error, OSError)

    def give(self) -> list[Address]:
        """A list of the caller's own, or the same error as the resolver's."""
        if self._error is None:
            return list(self._addresses or ())
        # A fresh one, because an exception collects the traces of all who raise it.
        raise type(self._error)(*self._error.args)


def asks_the_resolver(host: Any, family: int, flags: int) -> bool:
    """Whether a call of `getaddrinfo` may send a packet: not for a literal address, and not without a host.

    Args:
        host: The host as the caller gave it.
        family: The address family asked for.
        flags: The `AI_` flags.
    """
    if family not in {socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6} or flags & socket.AI_NUMERICHOST:
        return False
    if not isinstance(host, str | bytes) or not host:
        return False
    text = host if isinstance(host, str) else host.decode("latin-1")
    if ":" in text:
        return False
    try:
        # Reads what getaddrinfo takes for a literal: `127.1` and `0x7f.1` as well as `127.0.0.1`.
        socket.inet_aton(text)
    except OSError:
        return True
    except ValueError:
        # A NUL or a lone surrogate, which getaddrinfo refuses too.
        return False
    return False

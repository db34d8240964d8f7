"""Sockets that keep a deadline.

A socket's time-out holds for each read by itself: a server that sends one byte a second keeps a caller for ever. Here
each read and write gets what is left until one deadline.
"""

import math
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from baselib.dns import resolve

if TYPE_CHECKING:
    _Base = socket.socket
else:
    _Base = object


class _Bounded(_Base):
    """What a socket needs in order to keep a deadline.

    Attributes:
        deadline: When its reads and writes end, on the clock of `time.monotonic`.
        sent: The bytes that were sent since this was last set.
        received: Those that were received.
    """

    deadline = math.inf
    sent = 0
    received = 0

    def recv_into(self, *arguments: Any) -> int:
        self._limit()
        count = super().recv_into(*arguments)
        self.received += count
        return count

    def send(self, *arguments: Any) -> int:
        self._limit()
        count = super().send(*arguments)
        self.sent += count
        return count

    def sendall(self, data: Any, flags: int = 0) -> None:
        with memoryview(data) as view, view.cast("B") as rest:
            done = 0
            while done < len(rest):
                done += self.send(rest[done:], flags)

    def abandon(self) -> None:
        """Close it at once, though a response that will not be read any further still refers to it."""
        self.close()
        descriptor = self.detach()
        if descriptor >= 0:
            socket.close(descriptor)

    def _limit(self) -> None:
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the deadline has passed")
        self.settimeout(remaining if remaining < math.inf else None)


class BoundedSocket(_Bounded, socket.socket):
    """A TCP socket that keeps a deadline."""


class BoundedTlsSocket(_Bounded, ssl.SSLSocket):
    """A TLS socket that keeps a deadline; for `ssl.SSLContext.sslsocket_class`."""


def connected(host: str, port: int, deadline: float) -> BoundedSocket:
    """A socket that is connected, whose time-out is what then remains.

    Args:
        host: A name or an address.
        port: Its port.
        deadline: When it gives up, on the clock of `time.monotonic`. Each address gets its share of the time.

    Raises:
        OSError: The name could not be resolved, or no address answered in time.
    """
    addresses = resolve(host, port, timeout=_until(deadline))
    error = OSError(f"{host} has no address")
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        connection = BoundedSocket(family, kind, protocol)
        try:
            # Small requests do not wait for the answer to the last packet (Nagle's algorithm).
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(_until(deadline) / (len(addresses) - index))
            connection.connect(address)
            connection.settimeout(_until(deadline))
        except OSError as failure:
            connection.close()
            error = failure
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise error


def _until(deadline: float) -> float:
    # Zero would mean: do not block at all.
    return max(0.001, deadline - time.monotonic())

"""The way to the statsd daemon: lines gathered into datagrams.

Names are looked up in a thread of their own, again every minute and after an error: a look-up for each datagram would
use up the VPC resolver's 1,024 packets a second, and one for ever would miss a new address.
"""

import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from baselib.concurrency import start_thread

# An Ethernet frame of 1,500 bytes less the IPv6 and UDP headers.
MAXIMUM_DATAGRAM_BYTES: Final = 1452
_LOOK_UP_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 1.0
# A daemon's receive buffer of Linux's default size (net.core.rmem_default, 208 KiB) holds about 90 such datagrams.
_BURST_DATAGRAMS: Final = 32
_BURST_PAUSE_SECONDS: Final = 0.005

_logger = logging.getLogger(__name__)


class UdpTransport:
    """Sends lines to a statsd daemon over UDP; used by one thread at a time, never blocks and never raises.

    Args:
        host: The daemon's name or address.
        port: Its port.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self.forget()

    def forget(self) -> None:
        """Begin afresh, as after a fork."""
        self.close()
        self._addresses: Sequence[Any] | None = None
        self._choice = self._used = 0
        self._due = 0.0
        self._looking = False

    def ready(self, when_found: Callable[[], object]) -> bool:
        """Whether something can be sent; starts a look-up where one is due.

        Args:
            when_found: Called when a look-up has ended, from its thread.
        """
        if self._addresses is not None:
            self._connect(self._addresses)
        if time.monotonic() >= self._due and not self._looking:
            self._due = time.monotonic() + (_RETRY_SECONDS if self._socket is None else _LOOK_UP_SECONDS)
            self._looking = True
            if start_thread(self._look_up, when_found, name="baselib-metrics-look-up") is None:
                # As at the end of the process from Python 3.12 on.
                self._look_up(when_found)
        return self._socket is not None

    @property
    def pending(self) -> bool:
        """Whether a look-up is under way, or has just ended."""
        return self._looking or self._addresses is not None

    def send(self, entries: Iterable[str]) -> int:
        """Send entries of one or more lines, and return how many lines were lost."""
        lost = 0
        for number, datagram in enumerate(datagrams(entries), 1):
            if not self._sent(datagram):
                lost += datagram.count(b"\n") + 1
            if number % _BURST_DATAGRAMS == 0:
                time.sleep(_BURST_PAUSE_SECONDS)
        return lost

    def close(self) -> None:
        """Give the socket back; the next `ready` makes another."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._due = 0.0

    def _sent(self, datagram: bytes) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.send(datagram)
        except ConnectionRefusedError:
            # It tells of an earlier datagram and costs this one, so that one counts as lost, and this one goes again.
            # Where a name has several addresses (localhost), another one may be listening.
            # Said as often as it happens, it means the next one after this.
            self._choice = self._used + 1
            self._due = min(self._due, time.monotonic() + _RETRY_SECONDS)
            with contextlib.suppress(OSError):
                self._socket.send(datagram)
            return False
        except OSError as error:
            _logger.debug("a datagram of metrics was not sent: %s", error)
            self._due = min(self._due, time.monotonic() + _RETRY_SECONDS)
            return False
        return True

    def _look_up(self, when_found: Callable[[], object]) -> None:
        # A resolver that is away is no reason to forget the address that worked.
        with contextlib.suppress(OSError, UnicodeError):
            self._addresses = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        self._looking = False
        when_found()

    def _connect(self, addresses: Sequence[Any]) -> None:
        self._addresses = None
        self._used = self._choice % len(addresses)
        family, kind, protocol, _, address = addresses[self._used]
        try:
            fresh = socket.socket(family, kind, protocol)
        except OSError:
            return
        try:
            fresh.setblocking(False)
            fresh.connect(address)
        except OSError:
            # No way to this address, such as one of IPv6 where there is none.
            fresh.close()
            self._choice = self._used + 1
            return
        self.close()
        self._socket = fresh
        self._due = time.monotonic() + _LOOK_UP_SECONDS


def datagrams(entries: Iterable[str]) -> Iterable[bytes]:
    """Entries packed into datagrams of at most `MAXIMUM_DATAGRAM_BYTES`, except for an entry that is longer itself."""
    waiting: list[bytes] = []
    size = 0
    for entry in entries:
        encoded = entry.encode("utf-8", "replace")
        length = len(encoded) + 1
        if waiting and size + length > MAXIMUM_DATAGRAM_BYTES:
            yield b"\n".join(waiting)
            waiting, size = [], 0
        waiting.append(encoded)
        size += length
    if waiting:
        yield b"\n".join(waiting)

"""The way to the statsd daemon: lines gathered into datagrams, sent by a thread of its own.

The caller only appends to a list. Names are looked up by the thread, again every minute and after an error: a look-up
for each datagram would use up the VPC resolver's 1,024 packets a second, and one for ever would miss a new address.
"""

import contextlib
import os
import socket
import threading
import time
from collections import deque
from typing import Final

# An Ethernet frame of 1,500 bytes less the IPv6 and UDP headers.
MAXIMUM_DATAGRAM_BYTES: Final = 1452
_FLUSH_SECONDS: Final = 0.25
_LOOK_UP_SECONDS: Final = 60.0
_MAXIMUM_WAITING_LINES: Final = 20_000


class UdpTransport:
    """Sends lines to a statsd daemon over UDP; never blocks and never raises.

    Args:
        host: The daemon's name or address.
        port: Its port.

    Attributes:
        lost: How many lines were dropped, because nobody could be reached for too long.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self.lost = 0
        self._start_afresh()

    def __call__(self, line: str) -> None:
        """Take one or more lines, separated by line breaks."""
        if self._process != os.getpid():
            # A forked child has neither the thread nor, possibly, a lock that anybody will release.
            self._start_afresh()
        if len(self._lines) >= _MAXIMUM_WAITING_LINES:
            self.lost += 1
            return
        self._lines.append(line)
        if self._thread is None:
            self._start_thread()

    def flush(self, timeout: float = 1.0) -> None:
        """Send what is waiting, as far as that is possible within `timeout` seconds."""
        if self._process != os.getpid() or not (self._lines or self._sending.locked()):
            return
        finished = threading.Thread(target=self._send_waiting, daemon=True)
        with contextlib.suppress(RuntimeError):
            # No thread can be started any more: what waits is lost with the process.
            finished.start()
            finished.join(timeout)

    def close(self) -> None:
        """Send what is waiting, and nothing from then on."""
        self.flush()
        with self._sending:
            self._closed.set()
            if self._socket is not None:
                self._socket.close()

    def _start_afresh(self) -> None:
        self._process = os.getpid()
        self._lines: deque[str] = deque()
        self._starting = threading.Lock()
        self._sending = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._looked_up = 0.0

    def _start_thread(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="baselib-metrics", daemon=True)
                with contextlib.suppress(RuntimeError):
                    # The next line tries again.
                    thread.start()
                    self._thread = thread

    def _run(self) -> None:
        while not self._closed.wait(_FLUSH_SECONDS):
            self._send_waiting()

    def _send_waiting(self) -> None:
        with self._sending:
            if self._closed.is_set():
                return
            connection = self._connected()
            if connection is None:
                return
            # Only popped, never replaced: another thread may be appending.
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            for datagram in _datagrams(lines):
                try:
                    connection.send(datagram)
                except OSError:
                    # Nobody listens, or the buffer is full: the next look-up may find another address.
                    self.lost += datagram.count(b"\n") + 1
                    self._looked_up = 0.0

    def _connected(self) -> socket.socket | None:
        if self._socket is not None and time.monotonic() - self._looked_up < _LOOK_UP_SECONDS:
            return self._socket
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)[0]
            fresh = socket.socket(family, kind, protocol)
            fresh.setblocking(False)
            fresh.connect(address)
        except (OSError, UnicodeError):
            # A resolver that is away is no reason to forget the address that worked.
            return self._socket
        if self._socket is not None:
            self._socket.close()
        self._socket, self._looked_up = fresh, time.monotonic()
        return fresh


def _datagrams(lines: list[str]) -> list[bytes]:
    datagrams: list[bytes] = []
    waiting: list[bytes] = []
    size = 0
    for line in (part for entry in lines for part in entry.split("\n")):
        encoded = line.encode("utf-8", "replace")
        if waiting and size + len(encoded) + 1 > MAXIMUM_DATAGRAM_BYTES:
            datagrams.append(b"\n".join(waiting))
            waiting, size = [], 0
        waiting.append(encoded)
        size += len(encoded) + 1
    if waiting:
        datagrams.append(b"\n".join(waiting))
    return datagrams

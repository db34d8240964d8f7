"""HTTP/1.1 by hand, because it has to be cheaper than any client.

https://www.rfc-editor.org/rfc/rfc9112
"""

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"
_TARGET: Final = b"\r\nx-amz-target:"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Handler(Protocol):
    """Answers requests.

    Attributes:
        callers: All open connections.
    """

    callers: "set[Caller]"

    def handle(self, caller: "Caller", target: bytes, head: bytes, body: bytes) -> bytes | None:
        """The whole answer, or None when it comes later through `Caller.answer`."""


class Caller(asyncio.Protocol):
    """One connection. Its requests are answered one after another, in order, also when they come all at once."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._pending = False
        self._reading = False
        self._out: list[bytes] = []
        # Called when the client goes away before its answer.
        self.gone: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._handler.callers.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self._handler.callers.discard(self)
        gone, self.gone = self.gone, None
        if gone:
            gone()

    @property
    def connected(self) -> bool:
        """Whether the client is there, also if the loop has not yet heard that it left."""
        if self._transport is None or self._transport.is_closing():
            return False
        connection = self._transport.get_extra_info("socket")
        copy = socket.socket(fileno=socket.dup(connection.fileno()))
        with contextlib.closing(copy):
            copy.setblocking(False)
            try:
                return bool(copy.recv(1, socket.MSG_PEEK))
            except BlockingIOError:
                return True
            except OSError:
                return False

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        self._read()

    def _read(self) -> None:
        if self._reading:
            return
        self._reading = True
        received, start = self._received, 0
        while not self._pending and self._transport is not None:
            end = received.find(_END, start)
            if end < 0:
                break
            head = received[start : end + 2].lower()
            size = _number(head)
            stop = end + 4 + size
            if len(received) < stop:
                if b"\r\nexpect: 100-continue" in head and len(received) == end + 4:
                    self._transport.write(_CONTINUE)
                break
            body = received[end + 4 : stop]
            start = stop
            self._pending = True
            answer = self._handler.handle(self, _value(head, _TARGET), head, body)
            if answer is not None:
                self._pending = False
                self._out.append(answer)
                if b"\r\nconnection: close" in head:
                    self._flush()
                    self.close()
        self._received = received[start:] if start else received
        self._reading = False
        self._flush()

    def _flush(self) -> None:
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out) if len(self._out) > 1 else self._out[0])
        self._out.clear()

    def answer(self, answer: bytes) -> None:
        """Answer the request that waits, and go on with what came after it."""
        self.gone = None
        self._pending = False
        self._out.append(answer)
        if not self._reading:
            self._flush()
            self._read()

    def close(self) -> None:
        """End the connection as HTTP does."""
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """End the connection so that the client sees a reset."""
        if self._transport is None:
            return
        self._flush()
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()


def _value(head: bytes, name: bytes) -> bytes:
    start = head.find(name)
    if start < 0:
        return b""
    start += len(name)
    return head[start : head.index(b"\r", start)].strip()


def _number(head: bytes) -> int:
    start = head.find(_LENGTH)
    if start < 0:
        return 0
    start += len(_LENGTH)
    return int(head[start : head.index(b"\r", start)])

"""An SQS that takes every message at once: cheaper than any client of it, so that the client is what is measured.

python -m benchmarks.aws_stub
"""

import asyncio

_BODY = b'{"MessageId":"00000000-0000-0000-0000-000000000000","MD5OfMessageBody":"00000000000000000000000000000000"}'
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nx-amzn-RequestId: 0\r\nContent-Length: %d\r\n\r\n"
)
_ANSWER = _HEAD % len(_BODY) + _BODY


class _Caller(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            _, _, rest = head.partition(b"content-length:")
            size = end + 4 + int(rest.split(b"\r\n", 1)[0] or 0)
            if len(self._received) < size:
                return
            self._received = self._received[size:]
            self._transport.write(_ANSWER)  # type: ignore[attr-defined]


async def main() -> None:
    """Print the port, and serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(_Caller, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

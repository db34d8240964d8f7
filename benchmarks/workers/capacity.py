"""How much of a run is the stub: its own capacity, and how steady the machine is.

python -m benchmarks.workers.capacity
"""

import re
import socket
import statistics
import time
from typing import Final, NamedTuple

from benchmarks.workers.jobs import QUEUE, plain_body
from benchmarks.workers.processes import cpu_seconds
from tests.sqs_stub.client import sqs_stub

_MESSAGES: Final = 10_000
_LOOPS: Final = 30
_SIZE: Final = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Capacity(NamedTuple):
    """What the stub can do.

    Attributes:
        rate: Messages per second that a client over a bare socket receives and deletes, in tens, one call at a time.
        microseconds: CPU of the stub for each.
    """

    rate: float
    microseconds: float


def main() -> None:
    """Measure and print."""
    print(capacity())
    print(noise())


def capacity() -> Capacity:
    """Measure the stub with a client that is much cheaper than any that signs and parses."""
    with sqs_stub("--no-ledger") as stub:
        url = stub.make_queue(QUEUE)
        stub.fill(QUEUE, [plain_body()] * _MESSAGES)
        receive = _request("ReceiveMessage", f'{{"QueueUrl":"{url}","MaxNumberOfMessages":10}}')
        left = _MESSAGES
        with socket.create_connection(("127.0.0.1", stub.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            cpu, began = cpu_seconds(stub.process), time.monotonic()
            while left:
                handles = re.findall(rb'"ReceiptHandle":"([^"]+)"', _ask(connection, receive))
                entries = ",".join(
                    f'{{"Id":"{n}","ReceiptHandle":"{each.decode()}"}}' for n, each in enumerate(handles)
                )
                _ask(connection, _request("DeleteMessageBatch", f'{{"QueueUrl":"{url}","Entries":[{entries}]}}'))
                left -= len(handles)
            seconds, used = time.monotonic() - began, cpu_seconds(stub.process) - cpu
    return Capacity(_MESSAGES / seconds, used / _MESSAGES * 1e6)


def noise() -> str:
    """How much a loop that always does the same differs, as a sentence."""
    cpu, wall = [], []
    for _ in range(_LOOPS):
        began_cpu, began = time.process_time(), time.monotonic()
        sum(range(1_000_000))
        cpu.append(time.process_time() - began_cpu)
        wall.append(time.monotonic() - began)
    spread = (max(cpu) - min(cpu)) / statistics.median(cpu)
    return (
        f"A loop that always does the same took {statistics.median(cpu) * 1000:.1f} ms of CPU with a spread of "
        f"{spread:.0%}, and {sum(wall) / sum(cpu):.2f} times its CPU by the clock."
    )


def _request(action: str, body: str) -> bytes:
    return (
        f"POST / HTTP/1.1\r\nHost: sqs\r\nX-Amz-Target: AmazonSQS.{action}\r\n"
        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _ask(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    received = b""
    while True:
        part = connection.recv(262_144)
        if not part:
            raise RuntimeError("the stub has closed the connection")
        received += part
        head, end, body = received.partition(b"\r\n\r\n")
        size = _SIZE.search(head) if end else None
        if size and len(body) >= int(size.group(1)):
            return body


if __name__ == "__main__":
    main()

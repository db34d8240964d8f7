"""How fast the stub is, against the barest boto3 loop in the same run.

python -m tests.sqs_stub.capacity [--messages N]
"""

import argparse
import json
import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from tests.sqs_stub.client import Stub, sqs_stub

_RECEIPT: Final = re.compile(rb'"ReceiptHandle":"([^"]+)"')
_PIPELINED: Final = 10
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Speed(NamedTuple):
    """One measurement.

    Attributes:
        messages_per_second: Messages received and deleted.
        calls_per_second: Receives of ten and deletes of ten.
        stub_microseconds: CPU time of the stub for each call.
        client_microseconds: CPU time of the client for each call.
    """

    messages_per_second: float
    calls_per_second: float
    stub_microseconds: float
    client_microseconds: float

    def __str__(self) -> str:
        return (
            f"{self.messages_per_second:8,.0f} messages/s {self.calls_per_second:7,.0f} calls/s; CPU for each call: "
            f"stub {self.stub_microseconds:,.0f} us, client {self.client_microseconds:,.0f} us"
        )


class _Connection:
    """Receives of ten and deletes of what came, several in one write."""

    def __init__(self, port: int, url: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._url = url.encode()
        body = json.dumps({"QueueUrl": url, "MaxNumberOfMessages": 10}).encode()
        self._receives = _request(b"ReceiveMessage", body) * _PIPELINED
        self._rest = b""

    def receive(self) -> None:
        """Ask for messages."""
        self._socket.sendall(self._receives)

    def delete(self) -> int:
        """Take what was asked for, delete it, and say how many there were."""
        found = [_RECEIPT.findall(answer) for answer in self.answers(_PIPELINED)]
        requests = [
            _request(
                b"DeleteMessageBatch",
                b'{"QueueUrl":"%b","Entries":[%b]}'
                % (
                    self._url,
                    b",".join(b'{"Id":"%d","ReceiptHandle":"%b"}' % each for each in enumerate(receipts)),
                ),
            )
            for receipts in found
            if receipts
        ]
        self._socket.sendall(b"".join(requests))
        self.deletes = len(requests)
        return sum(map(len, found))

    def answers(self, count: int) -> list[bytes]:
        """The bodies of the next answers."""
        found: list[bytes] = []
        data = self._rest
        while len(found) < count:
            end = data.find(b"\r\n\r\n")
            if end >= 0:
                start = data.index(b"Content-Length: ") + 16
                stop = end + 4 + int(data[start : data.index(b"\r", start)])
                if len(data) >= stop:
                    found.append(data[end + 4 : stop])
                    data = data[stop:]
                    continue
            data += self._socket.recv(262_144)
        self._rest = data
        return found

    def close(self) -> None:
        self._socket.close()


def _request(action: bytes, body: bytes) -> bytes:
    return (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-amz-json-1.0\r\n"
        b"X-Amz-Target: AmazonSQS.%b\r\nContent-Length: %d\r\n\r\n%b" % (action, len(body), body)
    )


def by_raw_sockets(stub: Stub, url: str, messages: int) -> None:
    # While one connection's answers are read, the stub has the other's requests to do.
    connections = [_Connection(stub.port, url) for _ in range(3)]
    left = messages
    for connection in connections:
        connection.receive()
    while left > 0:
        for connection in connections:
            left -= connection.delete()
        for connection in connections:
            connection.answers(connection.deletes)
            connection.receive()
    for connection in connections:
        connection.close()


def by_boto3(stub: Stub, url: str, messages: int) -> None:
    client = stub.client()
    left = messages
    while left > 0:
        found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(found)]
        client.delete_message_batch(QueueUrl=url, Entries=entries)
        left -= len(found)
    client.close()


def cpu_seconds(process: int) -> float:
    """The CPU time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def measure(stub: Stub, name: str, messages: int, consume: Callable[[Stub, str, int], None]) -> Speed:
    """Let a client take all messages of a full queue."""
    url = stub.make_queue(name, VisibilityTimeout=600)
    stub.fill(url, messages)
    before = stub.statistics().queues[name]
    client, server, start = time.process_time(), cpu_seconds(stub.process), time.perf_counter()
    consume(stub, url, messages)
    seconds = time.perf_counter() - start
    server, client = cpu_seconds(stub.process) - server, time.process_time() - client
    after = stub.statistics().queues[name]
    calls = sum(after.calls.values()) - sum(before.calls.values())
    return Speed(messages / seconds, calls / seconds, server / calls * 1e6, client / calls * 1e6)


def main() -> None:
    """Measure with and without the ledger, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.sqs_stub.capacity")
    parser.add_argument("--messages", type=int, default=50_000)
    messages = parser.parse_args().messages
    for options, name in (((), "with the ledger"), (("--no-ledger",), "without the ledger")):
        with sqs_stub(*options) as stub:
            measure(stub, "warm", 2_000, by_raw_sockets)
            raw = measure(stub, "raw", messages, by_raw_sockets)
            boto3 = measure(stub, "boto3", messages // 5, by_boto3)
        print(f"{name}\n  stub   {raw}\n  boto3  {boto3}")
        print(f"  the stub is {raw.calls_per_second / boto3.calls_per_second:.1f} times as fast")


if __name__ == "__main__":
    main()

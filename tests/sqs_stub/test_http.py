"""The protocol below boto3: pieces, pipelines, closed connections."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from tests.sqs_stub.client import Counts, Stub
from tests.sqs_stub.http import Caller


@pytest.fixture
def connection(stub: Stub) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", stub.port), timeout=20) as connection:
        yield connection


def _request(action: str, body: str, more: str = "") -> bytes:
    return (
        f"POST / HTTP/1.1\r\nhost: stub\r\nx-AMZ-target:AmazonSQS.{action}\r\n{more}"
        f"content-LENGTH:  {len(body)}\r\n\r\n{body}"
    ).encode()


def _read(connection: socket.socket, answers: int) -> bytes:
    data = b""
    while data.count(b"HTTP/1.1 ") < answers or not data.endswith(b"}"):
        received = connection.recv(65_536)
        assert received, data
        data += received
    return data


def test_a_request_may_come_in_pieces(connection: socket.socket, stub: Stub, queue: str) -> None:
    for letter in _request("SendMessage", f'{{"QueueUrl":"{queue}","MessageBody":"x"}}'):
        connection.sendall(bytes([letter]))
    assert b"200 OK" in _read(connection, 1)
    assert stub.counts(queue) == Counts(1, 0, 0)


def test_pipelined_requests_are_answered_in_order(connection: socket.socket, stub: Stub, queue: str) -> None:
    connection.sendall(
        b"".join(_request("SendMessage", f'{{"QueueUrl":"{queue}","MessageBody":"{number}"}}') for number in range(50))
        + _request("ReceiveMessage", f'{{"QueueUrl":"{queue}","MaxNumberOfMessages":10}}')
    )
    answers = _read(connection, 51)
    assert answers.count(b"200 OK") == 51
    assert answers.rindex(b'"Body":"9"') > answers.rindex(b"MD5OfMessageBody")


def test_what_follows_a_long_poll_waits_for_it(connection: socket.socket, stub: Stub, queue: str) -> None:
    connection.sendall(
        _request("ReceiveMessage", f'{{"QueueUrl":"{queue}","WaitTimeSeconds":1}}')
        + _request("SendMessage", f'{{"QueueUrl":"{queue}","MessageBody":"x"}}')
    )
    answers = _read(connection, 2)
    assert answers.index(b"\r\n\r\n{}HTTP/1.1 200 OK") < answers.index(b"MessageId")
    assert stub.counts(queue) == Counts(1, 0, 0)


def test_a_connection_closes_when_asked_to(connection: socket.socket, queue: str) -> None:
    connection.sendall(
        _request("GetQueueUrl", f'{{"QueueName":"{queue.rpartition("/")[2]}"}}', "Connection: close\r\n")
    )
    data = b""
    while received := connection.recv(65_536):
        data += received
    assert queue.encode() in data


def test_a_large_body_may_wait_for_leave(connection: socket.socket, queue: str) -> None:
    request = _request("SendMessage", f'{{"QueueUrl":"{queue}","MessageBody":"x"}}', "Expect: 100-continue\r\n")
    head, _, body = request.partition(b"\r\n\r\n")
    connection.sendall(head + b"\r\n\r\n")
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(body)
    assert b"200 OK" in _read(connection, 1)


@pytest.mark.parametrize("body", ["no json", "[]", '{"QueueUrl": 7}', '{"QueueUrl":"x","Entries":[7]}'])
def test_nonsense_is_an_error_and_no_end(connection: socket.socket, queue: str, body: str) -> None:
    connection.sendall(_request("SendMessageBatch", body))
    assert b"HTTP/1.1 400" in _read(connection, 1)
    connection.sendall(_request("GetQueueUrl", f'{{"QueueName":"{queue.rpartition("/")[2]}"}}'))
    assert b"200 OK" in _read(connection, 1)


class _Nobody:
    def __init__(self) -> None:
        self.callers: set[Caller] = set()

    def handle(self, _caller: Caller, _target: bytes, _head: bytes, _body: bytes) -> bytes | None:
        return None


def test_a_client_that_has_left_is_known_before_the_loop_hears_of_it() -> None:
    async def leave() -> None:
        handler = _Nobody()
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        transport, caller = await loop.connect_accepted_socket(lambda: Caller(handler), here)
        assert caller.connected
        there.close()
        # No turn of the loop lies between.
        assert handler.callers == {caller}
        assert not caller.connected
        transport.close()
        await asyncio.sleep(0)

    asyncio.run(leave())

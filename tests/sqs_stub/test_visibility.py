"""Receiving, visibility and receipt handles."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.baselib.processes import until
from tests.sqs_stub.client import Counts, Stub, sqs_stub

Make = Callable[..., str]


def _receive(sqs: Any, queue: str, **parameters: Any) -> list[dict[str, Any]]:
    return list(sqs.receive_message(QueueUrl=queue, **{"MaxNumberOfMessages": 10, **parameters}).get("Messages", []))


def _in_background(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    return thread, found


def _polling(stub: Stub, queue: str, count: int = 1) -> None:
    name = queue.rpartition("/")[2]
    until(lambda: stub.statistics().queues[name].calls.get("ReceiveMessage", 0) >= count, "the receive waits")


def test_a_received_message_is_invisible_until_its_time_out(sqs: Any, stub: Stub, make: Make) -> None:
    queue = make(VisibilityTimeout="60")
    stub.fill(queue, 3)

    first = _receive(sqs, queue)

    assert [each["Body"] for each in first] == ["0", "1", "2"]
    assert stub.counts(queue) == Counts(0, 3, 0)
    stub.advance(59)
    assert _receive(sqs, queue) == []
    stub.advance(2)
    assert stub.counts(queue) == Counts(3, 0, 0)
    second = _receive(sqs, queue, VisibilityTimeout=5)
    assert {each["MessageId"] for each in second} == {each["MessageId"] for each in first}
    assert not {each["ReceiptHandle"] for each in second} & {each["ReceiptHandle"] for each in first}
    stub.advance(6)
    assert stub.counts(queue) == Counts(3, 0, 0)


def test_a_deleted_message_never_comes_again(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 2)
    first, second = _receive(sqs, queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    # Once more does no harm.
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    stub.advance(31)
    # Its time-out is over, and nobody has it.
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"])
    assert stub.counts(queue) == Counts(0, 0, 0)
    assert _receive(sqs, queue) == []


def test_an_old_receipt_handle_deletes_nothing(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 1)
    (old,) = _receive(sqs, queue, VisibilityTimeout=0)
    (new,) = _receive(sqs, queue)

    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": "a", "ReceiptHandle": old["ReceiptHandle"]}])

    assert [each["Id"] for each in answer["Successful"]] == ["a"]
    assert stub.counts(queue) == Counts(0, 1, 0)
    with pytest.raises(ClientError, match="not available for visibility timeout change"):
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=old["ReceiptHandle"], VisibilityTimeout=10)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=new["ReceiptHandle"])
    assert stub.counts(queue) == Counts(0, 0, 0)


def test_a_receipt_handle_of_nobody_is_refused(sqs: Any, stub: Stub, make: Make) -> None:
    queue, other = make(), make()
    stub.fill(other, 1)
    (foreign,) = _receive(sqs, other)
    for handle in ("nonsense", foreign["ReceiptHandle"]):
        with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
        answer = sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": "a", "ReceiptHandle": handle}])
        assert answer["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"
        assert answer["Failed"][0]["SenderFault"] is True


def test_visibility_counts_from_the_change(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 1)
    (message,) = _receive(sqs, queue)
    stub.advance(15)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=100)
    stub.advance(99)
    assert stub.counts(queue) == Counts(0, 1, 0)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=10)
    stub.advance(11)
    assert stub.counts(queue) == Counts(1, 0, 0)


def test_a_message_is_given_back_with_zero_seconds(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 1)
    (message,) = _receive(sqs, queue)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert stub.counts(queue) == Counts(1, 0, 0)
    with pytest.raises(sqs.exceptions.MessageNotInflight) as error:
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=9)
    assert error.value.response["Error"]["Code"] == "AWS.SimpleQueueService.MessageNotInflight"


def test_a_batch_of_changes_names_what_failed(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 2)
    first, second = _receive(sqs, queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])

    answer = sqs.change_message_visibility_batch(
        QueueUrl=queue,
        Entries=[
            {"Id": "gone", "ReceiptHandle": first["ReceiptHandle"], "VisibilityTimeout": 9},
            {"Id": "held", "ReceiptHandle": second["ReceiptHandle"], "VisibilityTimeout": 9},
        ],
    )

    assert [each["Id"] for each in answer["Successful"]] == ["held"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("gone", "InvalidParameterValue")]


def test_a_message_is_invisible_for_at_most_twelve_hours_since_its_receive(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 1)
    (message,) = _receive(sqs, queue, VisibilityTimeout=7200)

    def change(seconds: int) -> None:
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds)

    stub.advance(7_000)
    change(36_000)
    with pytest.raises(ClientError, match="Total VisibilityTimeout for the message is beyond the limit") as error:
        change(36_300)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"
    with pytest.raises(ClientError, match="Must be between 0 and 43200"):
        change(43_201)
    stub.advance(36_001)
    (again,) = _receive(sqs, queue)
    # It counts from the newest receive.
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=43_000)


@pytest.mark.parametrize(
    "parameters", [{"MaxNumberOfMessages": 0}, {"MaxNumberOfMessages": 11}, {"WaitTimeSeconds": 21}]
)
def test_receive_has_limits(sqs: Any, queue: str, parameters: dict[str, int]) -> None:
    with pytest.raises(ClientError, match="Must be >= "):
        sqs.receive_message(QueueUrl=queue, **parameters)


def test_a_long_poll_ends_at_once_with_a_message_that_arrives(sqs: Any, stub: Stub, queue: str) -> None:
    thread, found = _in_background(lambda: _receive(sqs, queue, WaitTimeSeconds=20))
    _polling(stub, queue)
    sqs.send_message(QueueUrl=queue, MessageBody="now")
    thread.join(10)
    assert [each["Body"] for each in found[0]] == ["now"]
    assert stub.counts(queue) == Counts(0, 1, 0)


@pytest.mark.parametrize("how", ["given back", "timed out", "delayed", "advanced"])
def test_a_long_poll_ends_at_once_with_a_message_that_becomes_visible(
    sqs: Any, stub: Stub, queue: str, how: str
) -> None:
    stub.fill(queue, 1, delay=1 if how == "delayed" else 0)
    held = [] if how == "delayed" else _receive(sqs, queue, VisibilityTimeout=1 if how == "timed out" else 30)
    thread, found = _in_background(lambda: _receive(sqs, queue, WaitTimeSeconds=20, VisibilityTimeout=30))
    _polling(stub, queue, 1 + bool(held))
    if how == "given back":
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=held[0]["ReceiptHandle"], VisibilityTimeout=0)
    elif how == "advanced":
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=held[0]["ReceiptHandle"], VisibilityTimeout=5)
        stub.advance(5)
    thread.join(10)
    assert [each["Body"] for each in found[0]] == ["0"]


def test_a_long_poll_ends_with_nothing_when_its_time_is_over(sqs: Any, stub: Stub, make: Make) -> None:
    queue = make(ReceiveMessageWaitTimeSeconds="20")
    thread, found = _in_background(lambda: _receive(sqs, queue))
    _polling(stub, queue)
    assert thread.is_alive()
    stub.advance(20)
    thread.join(10)
    assert found == [[]]
    assert stub.statistics().queues[queue.rpartition("/")[2]].empty_receives == 1


def test_those_who_wait_are_served_in_order_and_never_with_the_same_message(sqs: Any, stub: Stub, queue: str) -> None:
    waiting = [_in_background(lambda: _receive(sqs, queue, WaitTimeSeconds=20)) for _ in range(5)]
    _polling(stub, queue, 5)
    for number in range(5):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
    for thread, _ in waiting:
        thread.join(10)
    assert sorted(each["Body"] for _, found in waiting for each in found[0]) == ["0", "1", "2", "3", "4"]


def test_who_has_gone_away_gets_nothing(sqs: Any, stub: Stub, queue: str) -> None:
    body = b'{"QueueUrl":"%b","WaitTimeSeconds":20}' % queue.encode()
    request = b"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: %d\r\n\r\n%b"
    with socket.create_connection(("127.0.0.1", stub.port)) as connection:
        connection.sendall(request % (len(body), body))
        _polling(stub, queue)

    sqs.send_message(QueueUrl=queue, MessageBody="for somebody else")

    assert stub.counts(queue) == Counts(1, 0, 0)


def test_who_goes_away_after_the_answer_leaves_the_message_invisible(stub: Stub, queue: str) -> None:
    stub.fill(queue, 1)
    body = b'{"QueueUrl":"%b"}' % queue.encode()
    request = b"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: %d\r\n\r\n%b"
    with socket.create_connection(("127.0.0.1", stub.port)) as connection:
        connection.sendall(request % (len(body), body))
        assert connection.recv(1)
    assert stub.counts(queue) == Counts(0, 1, 0)


def test_messages_expire(sqs: Any, stub: Stub, make: Make) -> None:
    queue = make(MessageRetentionPeriod="60")
    stub.fill(queue, 2)
    stub.advance(61)
    assert stub.counts(queue) == Counts(0, 0, 0)
    assert _receive(sqs, queue) == []


def test_too_many_in_flight_are_told_to_short_polls_only() -> None:
    with sqs_stub("--in-flight-limit", "3") as stub:
        sqs = stub.client()
        queue = stub.make_queue("limited")
        stub.fill(queue, 5)
        held = _receive(sqs, queue)
        assert len(held) == 3
        with pytest.raises(sqs.exceptions.OverLimit):
            _receive(sqs, queue)
        thread, found = _in_background(lambda: _receive(sqs, queue, WaitTimeSeconds=20))
        _polling(stub, queue, 3)
        assert thread.is_alive()
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=held[0]["ReceiptHandle"])
        thread.join(10)
        assert len(found[0]) == 1
        sqs.close()


def test_a_new_time_out_holds_for_later_receives(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 1)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "7"})
    start = time.monotonic()
    _receive(sqs, queue)
    assert time.monotonic() - start < 7
    stub.advance(8)
    assert stub.counts(queue) == Counts(1, 0, 0)

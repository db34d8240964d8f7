"""FIFO queues: order, groups, deduplication, attempts."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.baselib.processes import until
from tests.sqs_stub.client import Counts, Stub

Make = Callable[..., str]


@pytest.fixture
def fifo(make: Make) -> str:
    return make(FifoQueue="true", ContentBasedDeduplication="true")


def _receive(sqs: Any, queue: str, **parameters: Any) -> list[dict[str, Any]]:
    asked = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"], **parameters}
    return list(sqs.receive_message(QueueUrl=queue, **asked).get("Messages", []))


def _bodies(messages: list[dict[str, Any]]) -> list[str]:
    return [each["Body"] for each in messages]


def _delete(sqs: Any, queue: str, *messages: dict[str, Any]) -> None:
    for message in messages:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_a_group_gives_no_more_while_it_has_messages_in_flight(sqs: Any, stub: Stub, fifo: str) -> None:
    stub.fill(fifo, 6, groups=["a", "b"])

    first = _receive(sqs, fifo, MaxNumberOfMessages=2)
    assert _bodies(first) == ["0", "2"]
    second = _receive(sqs, fifo)
    assert _bodies(second) == ["1", "3", "5"]
    assert _receive(sqs, fifo) == []

    _delete(sqs, fifo, first[0])
    assert _receive(sqs, fifo) == []
    _delete(sqs, fifo, first[1])
    assert _bodies(_receive(sqs, fifo)) == ["4"]


def test_what_is_given_back_comes_again_before_what_follows_it(sqs: Any, stub: Stub, fifo: str) -> None:
    stub.fill(fifo, 5, groups=["a"])
    zero, one, two = _receive(sqs, fifo, MaxNumberOfMessages=3)
    _delete(sqs, fifo, zero)
    for message in (two, one):
        sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert _bodies(_receive(sqs, fifo)) == ["1", "2", "3", "4"]
    stub.advance(31)
    assert _bodies(_receive(sqs, fifo)) == ["1", "2", "3", "4"]


def test_a_message_given_back_waits_for_the_others_of_its_group(sqs: Any, stub: Stub, fifo: str) -> None:
    stub.fill(fifo, 3, groups=["a"])
    zero, one = _receive(sqs, fifo, MaxNumberOfMessages=2)
    sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=0)
    assert _receive(sqs, fifo) == []
    _delete(sqs, fifo, zero)
    assert _bodies(_receive(sqs, fifo)) == ["1", "2"]


def test_a_long_poll_ends_when_the_group_is_free(sqs: Any, stub: Stub, fifo: str) -> None:
    stub.fill(fifo, 2, groups=["a"])
    (zero,) = _receive(sqs, fifo, MaxNumberOfMessages=1)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(_receive(sqs, fifo, WaitTimeSeconds=20)))
    thread.start()
    name = fifo.rpartition("/")[2]
    until(lambda: stub.statistics().queues[name].calls["ReceiveMessage"] == 2, "the receive waits")
    _delete(sqs, fifo, zero)
    thread.join(10)
    assert _bodies(found[0]) == ["1"]


def test_a_receipt_handle_expires_with_the_visibility(sqs: Any, stub: Stub, fifo: str) -> None:
    stub.fill(fifo, 1, groups=["a"])
    (message,) = _receive(sqs, fifo)
    stub.advance(31)
    with pytest.raises(ClientError, match="The receipt handle has expired"):
        _delete(sqs, fifo, message)
    with pytest.raises(ClientError, match="The receipt handle has expired"):
        sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=9)
    assert stub.counts(fifo) == Counts(1, 0, 0)


def test_sequence_numbers_grow(sqs: Any, fifo: str) -> None:
    sent = [
        sqs.send_message(QueueUrl=fifo, MessageBody=str(number), MessageGroupId="a")["SequenceNumber"]
        for number in range(12)
    ]
    assert sent == sorted(sent)
    assert len(set(sent)) == 12
    received = _receive(sqs, fifo)
    assert [each["Attributes"]["SequenceNumber"] for each in received] == sent[:10]
    assert received[0]["Attributes"]["MessageGroupId"] == "a"


def test_the_same_is_not_taken_twice_within_five_minutes(sqs: Any, stub: Stub, fifo: str) -> None:
    def send(body: str, **parameters: str) -> dict[str, Any]:
        return dict(sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId="a", **parameters))

    first = send("same")
    again = send("same")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    send("one", MessageDeduplicationId="d")
    send("two", MessageDeduplicationId="d")
    messages = _receive(sqs, fifo)
    assert _bodies(messages) == ["same", "one"]
    # Also after it was deleted.
    _delete(sqs, fifo, *messages)
    stub.advance(290)
    assert send("same")["MessageId"] == first["MessageId"]
    assert _receive(sqs, fifo) == []
    stub.advance(20)
    assert send("same")["MessageId"] != first["MessageId"]
    assert _bodies(_receive(sqs, fifo)) == ["same"]


def test_deduplication_may_be_by_group(sqs: Any, make: Make) -> None:
    by_group = make(FifoQueue="true", ContentBasedDeduplication="true", DeduplicationScope="messageGroup")
    for group in ("a", "b", "a"):
        sqs.send_message(QueueUrl=by_group, MessageBody="same", MessageGroupId=group)
    assert len(_receive(sqs, by_group)) == 2


def test_what_a_fifo_queue_needs(sqs: Any, make: Make) -> None:
    plain = make(FifoQueue="true")
    with pytest.raises(ClientError, match="MessageGroupId"):
        sqs.send_message(QueueUrl=plain, MessageBody="x", MessageDeduplicationId="d")
    with pytest.raises(ClientError, match="ContentBasedDeduplication"):
        sqs.send_message(QueueUrl=plain, MessageBody="x", MessageGroupId="a")
    with pytest.raises(ClientError, match="DelaySeconds"):
        sqs.send_message(
            QueueUrl=plain, MessageBody="x", MessageGroupId="a", MessageDeduplicationId="d", DelaySeconds=5
        )


def test_an_attempt_gives_the_same_again(sqs: Any, stub: Stub, fifo: str) -> None:
    stub.fill(fifo, 3, groups=["a"])
    first = _receive(sqs, fifo, ReceiveRequestAttemptId="one", MaxNumberOfMessages=2)
    stub.advance(20)
    again = _receive(sqs, fifo, ReceiveRequestAttemptId="one", MaxNumberOfMessages=2)
    assert again == first
    # The time-out counts from the second.
    stub.advance(20)
    assert stub.counts(fifo) == Counts(1, 2, 0)
    assert _receive(sqs, fifo, ReceiveRequestAttemptId="two") == []
    _delete(sqs, fifo, first[0])
    assert _receive(sqs, fifo, ReceiveRequestAttemptId="one") == []


def test_attempts_are_for_fifo_queues(sqs: Any, queue: str) -> None:
    with pytest.raises(ClientError, match="ReceiveRequestAttemptId"):
        sqs.receive_message(QueueUrl=queue, ReceiveRequestAttemptId="one")


def test_a_poisoned_message_lets_its_group_go_on(sqs: Any, stub: Stub) -> None:
    queue, dead = stub.make_queue_with_dead_letters("poisoned.fifo", receives=2)
    stub.fill(queue, 2, groups=["a"])
    for _ in range(2):
        assert _bodies(_receive(sqs, queue, MaxNumberOfMessages=1)) == ["0"]
        stub.advance(31)
    assert _bodies(_receive(sqs, queue, MaxNumberOfMessages=1)) == ["1"]
    (message,) = _receive(sqs, dead)
    assert message["Body"] == "0"
    assert message["Attributes"]["MessageGroupId"] == "a"


def test_a_purged_queue_goes_on(sqs: Any, stub: Stub, fifo: str) -> None:
    stub.fill(fifo, 4, groups=["a", "b"])
    _receive(sqs, fifo, MaxNumberOfMessages=1)
    sqs.purge_queue(QueueUrl=fifo)
    assert stub.counts(fifo) == Counts(0, 0, 0)
    stub.advance(301)
    stub.fill(fifo, 2, groups=["a"])
    assert _bodies(_receive(sqs, fifo)) == ["0", "1"]

"""Dead-letter queues and the way back from them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.baselib.processes import until
from tests.sqs_stub.client import Counts, Stub
from tests.sqs_stub.ledger import DEAD_LETTERED, RECEIVED, REDRIVEN


def _receive(sqs: Any, queue: str, **parameters: Any) -> list[dict[str, Any]]:
    asked = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"], **parameters}
    return list(sqs.receive_message(QueueUrl=queue, **asked).get("Messages", []))


def _kill(sqs: Any, stub: Stub, queue: str, receives: int) -> None:
    for _ in range(receives + 1):
        _receive(sqs, queue)
        stub.advance(31)


def test_a_message_received_too_often_is_moved(sqs: Any, stub: Stub) -> None:
    queue, dead = stub.make_queue_with_dead_letters("Orders", receives=2)
    sqs.send_message(QueueUrl=queue, MessageBody="bad")
    (first,) = _receive(sqs, queue)
    stub.advance(31)
    (second,) = _receive(sqs, queue)
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    stub.advance(31)
    # It moves when it would be received once more.
    assert stub.counts(queue) == Counts(1, 0, 0)
    assert _receive(sqs, queue) == []
    assert stub.counts(queue) == Counts(0, 0, 0)

    (message,) = _receive(sqs, dead)

    assert message["MessageId"] == first["MessageId"]
    assert message["Attributes"]["SentTimestamp"] == first["Attributes"]["SentTimestamp"]
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == stub.arn(queue)
    assert message["Attributes"]["ApproximateReceiveCount"] == "3"
    happened = [event.what for event in stub.ledger(message=first["MessageId"])]
    assert happened.count(DEAD_LETTERED) == 1
    assert happened.count(RECEIVED) == 3
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]
    # What was held when it moved is nobody's now.
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"])
    assert stub.counts(dead) == Counts(0, 1, 0)


def test_messages_go_back_to_where_they_came_from(sqs: Any, stub: Stub) -> None:
    queue, dead = stub.make_queue_with_dead_letters("Redriven", receives=1)
    ids = stub.fill(queue, 5)
    _kill(sqs, stub, queue, 1)
    assert stub.counts(dead) == Counts(5, 0, 0)

    sqs.start_message_move_task(SourceArn=stub.arn(dead))

    until(lambda: stub.counts(queue).visible == 5, "all are back")
    until(lambda: _task(sqs, stub, dead)["Status"] == "COMPLETED", "the task is done")
    assert _task(sqs, stub, dead)["ApproximateNumberOfMessagesMoved"] == 5
    assert stub.counts(dead) == Counts(0, 0, 0)
    back = _receive(sqs, queue)
    assert [each["Body"] for each in back] == ["0", "1", "2", "3", "4"]
    assert not {each["MessageId"] for each in back} & set(ids)
    assert {each["Attributes"]["ApproximateReceiveCount"] for each in back} == {"1"}
    redriven = [event for event in stub.ledger() if event.what == REDRIVEN]
    assert [event.message for event in redriven] == ids
    assert {event.detail["as"] for event in redriven} == {each["MessageId"] for each in back}


def _task(sqs: Any, stub: Stub, dead: str) -> dict[str, Any]:
    return dict(sqs.list_message_move_tasks(SourceArn=stub.arn(dead), MaxResults=10)["Results"][0])


def test_a_redrive_can_be_slow_and_cancelled(sqs: Any, stub: Stub) -> None:
    queue, dead = stub.make_queue_with_dead_letters("Cancelled", receives=1)
    stub.fill(queue, 10)
    _kill(sqs, stub, queue, 1)
    handle = sqs.start_message_move_task(SourceArn=stub.arn(dead), MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    with pytest.raises(ClientError, match="already a task running"):
        sqs.start_message_move_task(SourceArn=stub.arn(dead))
    assert _task(sqs, stub, dead)["TaskHandle"] == handle

    sqs.cancel_message_move_task(TaskHandle=handle)

    until(lambda: _task(sqs, stub, dead)["Status"] == "CANCELLED", "the task stops")
    assert stub.counts(dead).visible + stub.counts(queue).visible == 10
    assert stub.counts(dead).visible > 0


def test_what_cannot_be_redriven(sqs: Any, stub: Stub, queue: str) -> None:
    with pytest.raises(sqs.exceptions.ResourceNotFoundException):
        sqs.start_message_move_task(SourceArn=stub.arn("absent"))
    with pytest.raises(ClientError, match="must be configured as a Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=stub.arn(queue))
    with pytest.raises(sqs.exceptions.ResourceNotFoundException):
        sqs.cancel_message_move_task(TaskHandle="nonsense")


def test_a_message_sent_to_the_dead_letter_queue_has_no_way_back(sqs: Any, stub: Stub) -> None:
    _, dead = stub.make_queue_with_dead_letters("Unknown", receives=1)
    stub.fill(dead, 1)
    sqs.start_message_move_task(SourceArn=stub.arn(dead))
    until(lambda: _task(sqs, stub, dead)["Status"] == "FAILED", "the task fails")
    assert _task(sqs, stub, dead)["FailureReason"] == "CouldNotDetermineMessageSource"
    assert stub.counts(dead) == Counts(1, 0, 0)

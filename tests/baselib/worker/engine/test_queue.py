"""The calls of SQS: against moto for their shape, and against a fake client for what goes wrong."""

from typing import Any

import pytest

from baselib import aws
from baselib.worker.engine.lease import Lease
from baselib.worker.engine.queue import Queue


def test_a_message_is_received_given_back_received_again_and_deleted(queue_url: str) -> None:
    sqs = aws.client("sqs")
    queue = Queue(sqs, queue_url)
    attribute = {"DataType": "String", "StringValue": "abc"}
    sqs.send_message(QueueUrl=queue_url, MessageBody="text", MessageAttributes={"X-Request-Id": attribute})
    (raw,) = queue.receive(most=10, wait=1, visibility=60)
    assert raw["Body"] == "text"
    assert raw["MessageAttributes"]["X-Request-Id"]["StringValue"] == "abc"
    assert int(raw["Attributes"]["SentTimestamp"]) > 0
    lease = Lease(raw, 0.0, 60.0)
    assert lease.receive_count == 1
    assert queue.change([(lease, 0)]) == ([], [])
    (raw,) = queue.receive(most=1, wait=1, visibility=60)
    lease = Lease(raw, 0.0, 60.0)
    assert lease.receive_count == 2
    assert queue.delete([lease]) == ([], [])
    assert queue.receive(most=1, wait=0, visibility=60) == []


class _Client:
    """Answers every call with the same, and keeps what was asked."""

    def __init__(self, answer: dict[str, Any] | None = None, *, failing: int = 0) -> None:
        self._answer = answer or {}
        self._failing = failing
        self.asked: list[dict[str, Any]] = []

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if len(self.asked) <= self._failing:
            raise TimeoutError("no answer")
        return self._answer

    delete_message_batch = change_message_visibility_batch = receive_message


def _leases(count: int) -> list[Lease]:
    return [Lease({"ReceiptHandle": f"receipt-{number}"}, 0.0, 60.0) for number in range(count)]


def test_what_sqs_failed_at_is_told_from_what_it_does_not_know() -> None:
    failed = [
        {"Id": "1", "SenderFault": False, "Code": "InternalError"},
        {"Id": "2", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"},
    ]
    client = _Client({"Successful": [], "Failed": failed})
    leases = _leases(3)
    queue = Queue(client, "url")
    assert queue.delete(leases) == ([leases[1]], [leases[2]])
    assert queue.change((lease, number) for number, lease in enumerate(leases)) == ([leases[1]], [leases[2]])
    receipts = ["receipt-0", "receipt-1", "receipt-2"]
    assert [entry["ReceiptHandle"] for entry in client.asked[0]["Entries"]] == receipts
    assert [(each["ReceiptHandle"], each["VisibilityTimeout"]) for each in client.asked[1]["Entries"]] == [
        ("receipt-0", 0),
        ("receipt-1", 1),
        ("receipt-2", 2),
    ]


def test_an_answer_without_messages_is_none() -> None:
    client = _Client()
    assert Queue(client, "url").receive(most=7, wait=20, visibility=30) == []
    (asked,) = client.asked
    assert (asked["MaxNumberOfMessages"], asked["WaitTimeSeconds"], asked["VisibilityTimeout"]) == (7, 20, 30)
    assert set(asked["MessageSystemAttributeNames"]) == {"ApproximateReceiveCount", "SentTimestamp", "AWSTraceHeader"}
    assert asked["MessageAttributeNames"] == ["All"]
    assert "ReceiveRequestAttemptId" not in asked


def test_receives_may_have_a_client_of_their_own() -> None:
    client, polls = _Client(), _Client()
    queue = Queue(client, "url", polls=polls)
    queue.receive(most=1, wait=0, visibility=1)
    queue.delete(_leases(1))
    assert (len(client.asked), len(polls.asked)) == (1, 1)


def test_a_receive_of_a_fifo_queue_whose_answer_was_lost_is_made_again_with_its_id() -> None:
    client = _Client(failing=2)
    queue = Queue(client, "url.fifo")
    for _ in range(2):
        with pytest.raises(TimeoutError):
            queue.receive(most=1, wait=0, visibility=1)
    for _ in range(2):
        queue.receive(most=1, wait=0, visibility=1)
    ids = [asked["ReceiveRequestAttemptId"] for asked in client.asked]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert "MessageGroupId" in client.asked[0]["MessageSystemAttributeNames"]

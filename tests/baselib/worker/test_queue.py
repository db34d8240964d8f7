"""The calls to SQS, against moto for their shape and against a fake client for what goes wrong."""

from typing import Any

import pytest

from baselib import aws
from baselib.worker.lease import Lease
from baselib.worker.queue import Queue


def _sqs() -> Any:
    return aws.client("sqs")


def _lease(raw: dict[str, Any]) -> Lease:
    return Lease(raw, 0.0)


def _count(queue_url: str, name: str) -> int:
    answer = _sqs().get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
    return int(answer["Attributes"][name])


def test_a_message_is_received_with_its_attributes_and_deleted(queue_url: str) -> None:
    queue = Queue(_sqs(), queue_url)
    attribute = {"DataType": "String", "StringValue": "abc"}
    _sqs().send_message(QueueUrl=queue_url, MessageBody="text", MessageAttributes={"X-Request-Id": attribute})
    (raw,) = queue.receive(most=10, wait=1, visibility=60)
    assert raw["Body"] == "text"
    assert raw["MessageAttributes"]["X-Request-Id"]["StringValue"] == "abc"
    assert raw["Attributes"]["ApproximateReceiveCount"] == "1"
    assert int(raw["Attributes"]["SentTimestamp"]) > 0
    assert _count(queue_url, "ApproximateNumberOfMessagesNotVisible") == 1
    assert queue.delete([_lease(raw)]) == []
    assert _count(queue_url, "ApproximateNumberOfMessagesNotVisible") == 0


def test_a_message_given_back_can_be_received_at_once(queue_url: str) -> None:
    queue = Queue(_sqs(), queue_url)
    _sqs().send_message(QueueUrl=queue_url, MessageBody="text")
    (raw,) = queue.receive(most=1, wait=1, visibility=600)
    assert queue.receive(most=1, wait=0, visibility=600) == []
    assert queue.change_visibility([_lease(raw)], 0) == []
    (again,) = queue.receive(most=1, wait=1, visibility=600)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_copy_for_the_dead_letters_has_body_and_attributes(queue_url: str) -> None:
    queue = Queue(_sqs(), queue_url)
    attributes = {
        "kind": {"DataType": "String", "StringValue": "welcome"},
        "picture": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    _sqs().send_message(QueueUrl=queue_url, MessageBody="text", MessageAttributes=attributes)
    (raw,) = queue.receive(most=1, wait=1, visibility=60)
    assert queue.send_to_dead_letters(raw)
    (copy,) = Queue(_sqs(), f"{queue_url}_dead_letter").receive(most=1, wait=1, visibility=60)
    assert copy["Body"] == "text"
    assert copy["MessageAttributes"]["kind"]["StringValue"] == "welcome"
    assert copy["MessageAttributes"]["picture"]["BinaryValue"] == b"\x00\x01"


def test_a_queue_without_dead_letters_says_so(queue_url: str) -> None:
    assert Queue(_sqs(), f"{queue_url}_dead_letter").send_to_dead_letters({"Body": "text"}) is False


class _Client:
    """Answers every batch with the same failures."""

    def __init__(self, *failed: dict[str, Any]) -> None:
        self._answer = {"Successful": [], "Failed": list(failed)}
        self.asked: list[dict[str, Any]] = []

    def delete_message_batch(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return self._answer

    def change_message_visibility_batch(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return self._answer

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {}


def test_an_entry_that_sqs_failed_at_is_named_and_a_lost_lease_is_not(caplog: pytest.LogCaptureFixture) -> None:
    client = _Client(
        {"Id": "1", "SenderFault": False, "Code": "InternalError"},
        {"Id": "2", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"},
    )
    leases = [_lease({"ReceiptHandle": str(number)}) for number in range(3)]
    assert Queue(client, "url").delete(leases) == [leases[1]]
    assert Queue(client, "url").change_visibility(leases, 5) == [leases[1]]
    assert [record.__dict__["code"] for record in caplog.records] == ["ReceiptHandleIsInvalid"] * 2
    assert [entry["ReceiptHandle"] for entry in client.asked[0]["Entries"]] == ["0", "1", "2"]
    assert {entry["VisibilityTimeout"] for entry in client.asked[1]["Entries"]} == {5}


def test_an_answer_without_messages_is_none() -> None:
    client = _Client()
    assert Queue(client, "url").receive(most=7, wait=20, visibility=30) == []
    (asked,) = client.asked
    assert (asked["MaxNumberOfMessages"], asked["WaitTimeSeconds"], asked["VisibilityTimeout"]) == (7, 20, 30)
    assert "AWSTraceHeader" in asked["MessageSystemAttributeNames"]

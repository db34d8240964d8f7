"""Sending: digests, attributes, limits, delays, batches."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sqs_stub.client import Counts, Stub

_MEBIBYTE = 1_048_576
Make = Callable[..., str]


def _code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_message_comes_as_it_was_sent(sqs: Any, queue: str) -> None:
    body = 'Größe "1" \\ \n \U0001f600 </a>'
    sent = sqs.send_message(QueueUrl=queue, MessageBody=body)

    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]

    assert message["Body"] == body
    assert message["MessageId"] == sent["MessageId"]
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()
    assert "Attributes" not in message
    assert "MessageAttributes" not in message


def test_attributes_come_as_they_were_sent_and_only_those_asked_for(sqs: Any, queue: str) -> None:
    attributes = {
        "kind": {"DataType": "String", "StringValue": "order"},
        "number": {"DataType": "Number.int", "StringValue": "7"},
        "binary": {"DataType": "Binary", "BinaryValue": b"\x00\xff\x10"},
        "trace.a": {"DataType": "String", "StringValue": "1"},
        "trace.b": {"DataType": "String", "StringValue": "2"},
    }
    sent = sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=attributes)

    def receive(*names: str) -> dict[str, Any]:
        (message,) = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0, MessageAttributeNames=names)["Messages"]
        return dict(message)

    everything = receive("All")
    assert everything["MessageAttributes"] == attributes
    assert everything["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert receive(".*")["MessageAttributes"] == attributes
    assert receive("trace.*")["MessageAttributes"].keys() == {"trace.a", "trace.b"}
    assert receive("kind", "absent")["MessageAttributes"].keys() == {"kind"}
    assert "MessageAttributes" not in receive("absent")
    assert "MessageAttributes" not in receive()


def test_the_digest_of_attributes_is_that_of_sqs(sqs: Any, queue: str) -> None:
    def part(value: bytes) -> bytes:
        return len(value).to_bytes(4, "big") + value

    expected = hashlib.md5(
        part(b"a") + part(b"Binary") + b"\x02" + part(b"\x00\x01") + part(b"b") + part(b"String") + b"\x01" + part(b"v")
    ).hexdigest()

    sent = sqs.send_message(
        QueueUrl=queue,
        MessageBody="x",
        MessageAttributes={
            "b": {"DataType": "String", "StringValue": "v"},
            "a": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
        },
    )

    assert sent["MD5OfMessageAttributes"] == expected


def test_system_attributes_are_given_as_asked_for(sqs: Any, stub: Stub, queue: str) -> None:
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-2-3"}}
    sqs.send_message(QueueUrl=queue, MessageBody="x", MessageSystemAttributes=trace)

    def receive(**names: list[str]) -> dict[str, str]:
        (message,) = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0, **names)["Messages"]
        return dict(message["Attributes"])

    first = receive(MessageSystemAttributeNames=["All"])
    assert first["ApproximateReceiveCount"] == "1"
    assert first["AWSTraceHeader"] == "Root=1-2-3"
    assert int(first["SentTimestamp"]) <= int(first["ApproximateFirstReceiveTimestamp"])
    stub.advance(5)
    again = receive(AttributeNames=["ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"])
    assert again == {
        "ApproximateReceiveCount": "2",
        "ApproximateFirstReceiveTimestamp": first["ApproximateFirstReceiveTimestamp"],
    }


def test_a_message_has_at_most_one_mebibyte(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="x" * _MEBIBYTE)
    for body, attributes in (
        ("x" * (_MEBIBYTE + 1), {}),
        ("ü" * (_MEBIBYTE // 2 + 1), {}),
        ("x" * (_MEBIBYTE - 7), {"a": {"DataType": "String", "StringValue": "v"}}),
    ):
        with pytest.raises(ClientError) as error:
            sqs.send_message(QueueUrl=queue, MessageBody=body, MessageAttributes=attributes)
        assert _code(error) == "InvalidParameterValue"


def test_a_queue_may_take_less(sqs: Any, make: Make) -> None:
    queue = make(MaximumMessageSize="1024")
    sqs.send_message(QueueUrl=queue, MessageBody="x" * 1024)
    with pytest.raises(ClientError, match="shorter than 1024 bytes"):
        sqs.send_message(QueueUrl=queue, MessageBody="x" * 1025)


def test_a_batch_has_at_most_one_mebibyte(sqs: Any, stub: Stub, queue: str) -> None:
    entries = [{"Id": str(number), "MessageBody": "x" * (_MEBIBYTE // 2)} for number in range(2)]
    assert len(sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]) == 2
    with pytest.raises(sqs.exceptions.BatchRequestTooLong):
        sqs.send_message_batch(QueueUrl=queue, Entries=[*entries, {"Id": "more", "MessageBody": "x"}])
    assert stub.counts(queue) == Counts(2, 0, 0)


@pytest.mark.parametrize(
    ("ids", "error"),
    [
        ([], "EmptyBatchRequest"),
        ([str(number) for number in range(11)], "TooManyEntriesInBatchRequest"),
        (["a", "a"], "BatchEntryIdsNotDistinct"),
        (["a b"], "InvalidBatchEntryId"),
        (["x" * 81], "InvalidBatchEntryId"),
    ],
)
def test_a_batch_has_rules(sqs: Any, stub: Stub, queue: str, ids: list[str], error: str) -> None:
    with pytest.raises(getattr(sqs.exceptions, error)) as raised:
        sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": each, "MessageBody": "x"} for each in ids])
    assert _code(raised) == f"AWS.SimpleQueueService.{error}"
    with pytest.raises(getattr(sqs.exceptions, error)):
        sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": each, "ReceiptHandle": "x"} for each in ids])
    assert stub.counts(queue) == Counts(0, 0, 0)


def test_one_entry_of_a_batch_may_fail(sqs: Any, stub: Stub, queue: str) -> None:
    answer = sqs.send_message_batch(
        QueueUrl=queue, Entries=[{"Id": "a", "MessageBody": "fine"}, {"Id": "b", "MessageBody": "\x00"}]
    )

    assert [each["Id"] for each in answer["Successful"]] == ["a"]
    (failed,) = answer["Failed"]
    assert (failed["Id"], failed["SenderFault"], failed["Code"]) == ("b", True, "InvalidMessageContents")
    assert stub.bodies(queue) == ["fine"]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"MessageBody": ""}, "MissingParameter"),
        ({"MessageBody": "\x01"}, "InvalidMessageContents"),
        ({"MessageBody": "x", "DelaySeconds": 901}, "InvalidParameterValue"),
        ({"MessageBody": "x", "MessageDeduplicationId": "d"}, "InvalidParameterValue"),
        (
            {"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "Odd", "StringValue": "v"}}},
            "InvalidParameterValue",
        ),
        ({"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "String"}}}, "InvalidParameterValue"),
        (
            {
                "MessageBody": "x",
                "MessageAttributes": {f"a{n}": {"DataType": "String", "StringValue": "v"} for n in range(11)},
            },
            "InvalidParameterValue",
        ),
    ],
)
def test_what_sqs_does_not_take(sqs: Any, stub: Stub, queue: str, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        sqs.send_message(QueueUrl=queue, **parameters)
    assert _code(error) == code
    assert stub.counts(queue) == Counts(0, 0, 0)


def test_a_delayed_message_comes_when_its_delay_is_over(sqs: Any, stub: Stub, make: Make) -> None:
    queue = make(DelaySeconds="20")
    sqs.send_message(QueueUrl=queue, MessageBody="as the queue")
    sqs.send_message(QueueUrl=queue, MessageBody="longer", DelaySeconds=60)
    sqs.send_message(QueueUrl=queue, MessageBody="not", DelaySeconds=0)

    def receive() -> list[str]:
        return [
            each["Body"] for each in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        ]

    assert stub.counts(queue) == Counts(1, 0, 2)
    assert receive() == ["not"]
    stub.advance(21)
    assert receive() == ["as the queue"]
    stub.advance(40)
    # What was received first has become visible again.
    assert sorted(receive()) == ["as the queue", "longer", "not"]


def test_a_standard_queue_takes_groups(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="x", MessageGroupId="tenant")
    (message,) = sqs.receive_message(QueueUrl=queue, MessageSystemAttributeNames=["MessageGroupId"])["Messages"]
    assert message["Attributes"] == {"MessageGroupId": "tenant"}

"""Sending a message."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from baselib import aws
from baselib.telemetry import Span, observed
from baselib.worker import Worker
from baselib.worker.producer import send, send_many
from baselib.worker.sending.errors import SendError, UnsendableError
from tests.baselib.processes import IDENTITY


class Welcome(BaseModel):
    name: str


def _received(queue_url: str) -> dict[str, Any]:
    answer = aws.client("sqs").receive_message(
        QueueUrl=queue_url, WaitTimeSeconds=1, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )
    (raw,) = answer["Messages"]
    found: dict[str, Any] = raw
    return found


def test_a_model_is_sent_as_json(queue_url: str) -> None:
    message_id = send(queue_url, Welcome(name="Ana"))
    raw = _received(queue_url)
    assert raw["MessageId"] == message_id
    assert json.loads(raw["Body"]) == {"name": "Ana"}


def test_text_is_sent_as_it_is(queue_url: str) -> None:
    send(queue_url, "plain ✓")
    assert _received(queue_url)["Body"] == "plain ✓"


def test_outside_of_a_span_no_id_is_made_up(queue_url: str) -> None:
    send(queue_url, "text")
    assert "MessageAttributes" not in _received(queue_url)


def test_a_delayed_message_is_not_received_yet(queue_url: str) -> None:
    send(queue_url, "later", delay=900)
    assert "Messages" not in aws.client("sqs").receive_message(QueueUrl=queue_url)
    name = "ApproximateNumberOfMessagesDelayed"
    answer = aws.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
    assert answer["Attributes"][name] == "1"


def test_the_receiver_works_under_the_id_of_the_sender(queue_url: str) -> None:
    with observed(Span("request", "/", request_id="from-the-sender"), ()):
        send(queue_url, "text")
    raw = _received(queue_url)
    seen: list[str] = []

    def register(worker: Worker) -> None:
        worker.handle(lambda message: seen.append(message.attributes["X-Request-Id"]))

    worker = Worker(register, environ={**IDENTITY, "QUEUE_URL": queue_url, "AWS_REGION": "us-east-1"})
    worker.handle_raw(raw)
    assert seen == ["from-the-sender"]


def test_the_trace_of_the_sender_goes_on(queue_url: str) -> None:
    trace = "1-67891233-abcdef012345678912345678"
    with observed(Span("request", "/", trace_id=trace), ()):
        send(queue_url, "text")
    raw = _received(queue_url)
    assert raw["Attributes"]["AWSTraceHeader"] == f"Root={trace}"


def test_attributes_have_the_types_of_their_values(queue_url: str) -> None:
    send(queue_url, "text", attributes={"text": "ü", "number": 7, "bytes": b"\x00\xff"})
    attributes = _received(queue_url)["MessageAttributes"]
    assert attributes["text"] == {"DataType": "String", "StringValue": "ü"}
    assert attributes["number"] == {"DataType": "Number", "StringValue": "7"}
    assert attributes["bytes"] == {"DataType": "Binary", "BinaryValue": b"\x00\xff"}


def test_many_are_sent_in_order_of_their_ids(queue_url: str) -> None:
    ids = send_many(queue_url, (Welcome(name=str(number)) for number in range(12)))
    found: dict[str, str] = {}
    while len(found) < 12:
        answer = aws.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        found.update({raw["MessageId"]: json.loads(raw["Body"])["name"] for raw in answer["Messages"]})
    assert [found[each] for each in ids] == [str(number) for number in range(12)]


def test_a_message_that_sqs_would_refuse_is_not_sent(queue_url: str) -> None:
    with pytest.raises(UnsendableError, match="the body is empty"):
        send(queue_url, "")
    assert "Messages" not in aws.client("sqs").receive_message(QueueUrl=queue_url)


def test_a_queue_that_does_not_exist_is_told(queue_url: str) -> None:
    with pytest.raises(SendError, match=r"sent 0 of 1 messages: message 0: .*NonExistentQueue") as refused:
        send(f"{queue_url}-gone", "text")
    assert not refused.value.failures[0].uncertain


def test_a_message_just_below_the_limit_is_what_the_embedded_aws_takes(queue_url: str) -> None:
    send(queue_url, "x" * 1_048_576)
    assert len(_received(queue_url)["Body"]) == 1_048_576

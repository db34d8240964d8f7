"""Sending a message."""

import json
from typing import Any

from pydantic import BaseModel

from baselib import aws
from baselib.telemetry import Span, observed
from baselib.worker import Worker, send
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

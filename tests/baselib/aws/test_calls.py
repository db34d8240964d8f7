"""Calls of AWS: counted, timed and priced whatever comes of them, and ended within their time budget."""

import json
import threading
import time
from typing import Any

import botocore.exceptions
import pytest

from baselib import aws
from baselib.aws import calls, deadlines
from baselib.telemetry import metrics
from baselib.testing import EmbeddedAws
from tests.baselib.aws.conftest import Configure
from tests.baselib.aws.stub import Answer, Stub, error


class _Work:
    """A span that ends after some seconds."""

    def __init__(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds


@pytest.fixture
def seen(captured_metrics: list[str], monkeypatch: pytest.MonkeyPatch) -> "list[tuple[str, float, dict[str, str]]]":
    """The metrics of the test as name, value and tags."""
    sent: list[tuple[str, float, dict[str, str]]] = []

    def record(stat: str, value: float = 1, rate: float = 1, tags: Any = None) -> None:
        sent.append((stat, value, dict(tags or {})))

    monkeypatch.setattr(metrics, "incr", record)
    monkeypatch.setattr(metrics, "timing", record)
    return sent


def _values(seen: "list[tuple[str, float, dict[str, str]]]", name: str) -> "dict[tuple[str, ...], float]":
    found: dict[tuple[str, ...], float] = {}
    for stat, value, tags in seen:
        if stat == name:
            found[tuple(tags.values())] = found.get(tuple(tags.values()), 0) + value
    return found


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)


def test_a_call_that_works(stub: Stub, configure: Configure, seen: Any) -> None:
    stub.answer = lambda request: Answer(200, b'{"QueueUrls": []}')
    configure(stub.url)
    aws.client("sqs").list_queues()
    assert _values(seen, "aws.calls") == {("sqs", "ListQueues", "ok"): 1}
    ((_, milliseconds),) = _values(seen, "aws.calls.time").items()
    assert 0 < milliseconds < 30_000
    assert _values(seen, "aws.calls.bytes") == {
        ("sqs", "ListQueues", "sent"): len(stub.requests[0].body),
        ("sqs", "ListQueues", "received"): 17,
    }
    assert _values(seen, "aws.cost") == {("sqs", "ListQueues"): 0.4}
    assert _values(seen, "aws.calls.retries") == _values(seen, "aws.calls.throttles") == {}


@pytest.mark.usefixtures("no_pauses")
def test_throttles_and_retries_are_told_apart_from_the_one_call(stub: Stub, configure: Configure, seen: Any) -> None:
    stub.answer_in_turn(error("ThrottlingException"), Answer(500), Answer(200, b'{"QueueUrls": []}'))
    configure(stub.url)
    aws.client("sqs").list_queues()
    assert _values(seen, "aws.calls") == {("sqs", "ListQueues", "ok"): 1}
    assert _values(seen, "aws.calls.retries") == {("sqs", "ListQueues"): 2}
    assert _values(seen, "aws.calls.throttles") == {("sqs", "ListQueues"): 1}
    assert _values(seen, "aws.calls.bytes")[("sqs", "ListQueues", "sent")] == 3 * len(stub.requests[0].body)
    # AWS charges for the attempt that it carried out.
    assert _values(seen, "aws.cost") == {("sqs", "ListQueues"): 0.4}


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    ("answer", "outcome", "cost"),
    [
        (error("ThrottlingException"), "throttled", {}),
        (Answer(429), "throttled", {}),
        (error("AWS.SimpleQueueService.NonExistentQueue"), "client_error", {("sqs", "ListQueues"): 0.4}),
        (error("AccessDenied", 403), "client_error", {("sqs", "ListQueues"): 0.4}),
        (error("InternalFailure", 500), "server_error", {}),
        (Answer(503, b"<html>no json</html>"), "server_error", {}),
    ],
)
def test_a_call_that_fails(
    stub: Stub, configure: Configure, seen: Any, answer: Answer, outcome: str, cost: dict[Any, float]
) -> None:
    stub.answer = lambda request: answer
    configure(stub.url)
    with pytest.raises(botocore.exceptions.ClientError):
        aws.client("sqs").list_queues()
    assert _values(seen, "aws.calls") == {("sqs", "ListQueues", outcome): 1}
    assert _values(seen, "aws.cost") == cost
    assert len(_values(seen, "aws.calls.time")) == 1


@pytest.mark.usefixtures("no_pauses")
def test_nobody_answers(configure: Configure, seen: Any) -> None:
    configure("http://127.0.0.1:9")
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        aws.client("sqs").list_queues()
    assert _values(seen, "aws.calls") == {("sqs", "ListQueues", "connection"): 1}
    assert _values(seen, "aws.calls.retries") == {("sqs", "ListQueues"): 3}
    assert _values(seen, "aws.calls.throttles") == {}
    assert _values(seen, "aws.cost") == {}


def test_a_resources_calls_are_counted_too(stub: Stub, configure: Configure, seen: Any) -> None:
    stub.answer = lambda request: Answer(200, b'{"TableNames": ["lessons"]}')
    configure(stub.url)
    assert [table.name for table in aws.resource("dynamodb").tables.all()] == ["lessons"]
    assert _values(seen, "aws.calls") == {("dynamodb", "ListTables", "ok"): 1}
    # Not in the table of prices, so not guessed.
    assert _values(seen, "aws.cost") == {}


def test_a_stream_is_counted_by_its_header_and_left_to_the_caller(stub: Stub, configure: Configure, seen: Any) -> None:
    stub.answer = lambda request: Answer(200, b"x" * 5000, {"ETag": '"1"'})
    configure(stub.url)
    answer = aws.client("s3").get_object(Bucket="bucket", Key="key")
    assert _values(seen, "aws.calls.bytes") == {("s3", "GetObject", "received"): 5000}
    assert len(answer["Body"].read()) == 5000


def test_the_length_in_the_answer_to_a_head_was_not_received(stub: Stub, configure: Configure, seen: Any) -> None:
    stub.answer = lambda request: Answer(200, b"x" * 5000, {"ETag": '"1"'})
    configure(stub.url)
    assert aws.client("s3").head_object(Bucket="bucket", Key="key")["ContentLength"] == 5000
    assert _values(seen, "aws.calls.bytes") == {}


def test_a_fifo_queue_costs_more_and_a_messages_text_does_not(stub: Stub, configure: Configure, seen: Any) -> None:
    digest = "5d41402abc4b2a76b9719d911017c592"
    stub.answer = lambda request: Answer(200, json.dumps({"MD5OfMessageBody": digest, "MessageId": "1"}).encode())
    configure(stub.url)
    sqs = aws.client("sqs")
    sqs.meta.events.unregister("after-call.sqs.SendMessage", unique_id="validate-md5-SendMessage")
    sqs.send_message(QueueUrl=f"{stub.url}/1/q", MessageBody="hello")
    assert _values(seen, "aws.cost") == {("sqs", "SendMessage"): 0.4}
    seen.clear()
    sqs.send_message(QueueUrl=f"{stub.url}/1/q.fifo", MessageBody="hello", MessageGroupId="1")
    assert _values(seen, "aws.cost") == {("sqs", "SendMessage"): 0.5}


def test_a_bucket_listed_before_each_read_is_most_of_the_bill(
    embedded_aws: EmbeddedAws, configure: Configure, seen: Any
) -> None:
    embedded_aws.client("s3").create_bucket(Bucket="lessons")
    embedded_aws.client("s3").put_object(Bucket="lessons", Key="1", Body=b"hola")
    configure(embedded_aws.url)
    s3 = aws.client("s3")
    for _ in range(10):
        assert "lessons" in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
        assert s3.get_object(Bucket="lessons", Key="1")["Body"].read() == b"hola"
    cost = _values(seen, "aws.cost")
    assert cost == {("s3", "ListBuckets"): pytest.approx(50.0), ("s3", "GetObject"): pytest.approx(4.0)}
    assert cost[("s3", "ListBuckets")] / sum(cost.values()) == pytest.approx(0.926, abs=0.001)


def test_what_is_wrong_with_the_metrics_is_not_wrong_with_the_call(
    stub: Stub, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no metrics today")

    configure(stub.url)
    aws.client("sqs").list_queues()
    monkeypatch.setattr(metrics, "incr", broken)
    monkeypatch.setattr(calls, "_throttled", broken)
    monkeypatch.setattr(calls._Operation, "__init__", broken)
    assert aws.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert aws.client("sqs").list_dead_letter_source_queues(QueueUrl=f"{stub.url}/1/q")


def test_threads_do_not_mix_up_their_calls(stub: Stub, configure: Configure, seen: Any) -> None:
    stub.answer = lambda request: Answer(200, b'{"QueueUrls": []}')
    configure(stub.url)
    sqs = aws.client("sqs")
    threads = [threading.Thread(target=lambda: [sqs.list_queues() for _ in range(5)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert _values(seen, "aws.calls") == {("sqs", "ListQueues", "ok"): 40}
    assert _values(seen, "aws.calls.bytes")[("sqs", "ListQueues", "received")] == 40 * 17


# --- the time budget


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives this test's work a time budget in seconds."""

    def begin(seconds: float) -> None:
        span = _Work(seconds)
        monkeypatch.setattr(deadlines, "current_span", lambda: span)

    return begin


def test_a_call_is_not_begun_when_no_time_is_left(stub: Stub, configure: Configure, seen: Any, work: Any) -> None:
    configure(stub.url)
    work(-0.1)
    with pytest.raises(aws.DeadlineExceededError, match="no time left for sqs ListQueues"):
        aws.client("sqs").list_queues()
    assert stub.requests == []
    assert _values(seen, "aws.calls") == {("sqs", "ListQueues", "deadline"): 1}


def test_an_endpoint_that_hangs_is_left_at_the_deadline(stub: Stub, configure: Configure, seen: Any, work: Any) -> None:
    stub.answer = lambda request: Answer(hang=True)
    configure(stub.url)
    aws.client("sqs")
    work(1.5)
    began = time.monotonic()
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        aws.client("sqs").list_queues()
    # Far below the 24 s of one attempt, let alone of four.
    assert time.monotonic() - began < 15
    assert len(stub.requests) == 1
    assert _values(seen, "aws.calls") == {("sqs", "ListQueues", "connection"): 1}


def test_it_is_not_tried_again_when_the_pause_could_outlast_the_deadline(
    stub: Stub, configure: Configure, work: Any
) -> None:
    stub.answer = lambda request: error("ThrottlingException")
    configure(stub.url)
    client = aws.client("sqs")
    work(0.9)
    with pytest.raises(botocore.exceptions.ClientError, match="ThrottlingException"):
        client.list_queues()
    assert len(stub.requests) == 1


@pytest.mark.usefixtures("no_pauses")
def test_without_a_deadline_the_budget_of_a_request_holds(stub: Stub, configure: Configure) -> None:
    stub.answer = lambda request: error("ThrottlingException")
    configure(stub.url, request_seconds=3.0)
    with pytest.raises(botocore.exceptions.ClientError):
        aws.client("sqs").list_queues()
    # The pauses may be 1, 2 and 4 s long, and the third would not fit.
    assert len(stub.requests) == 3
    stub.requests.clear()
    configure(stub.url)
    with pytest.raises(botocore.exceptions.ClientError):
        aws.client("sqs").list_queues()
    assert len(stub.requests) == 4


def test_time_outs_follow_the_budget_and_long_polls_their_length(
    stub: Stub, configure: Configure, monkeypatch: pytest.MonkeyPatch, work: Any
) -> None:
    seconds: list[float] = []

    def note(request: Any, **_: object) -> None:
        seconds.append(request.context["read_timeout"])

    def asked(**more: Any) -> list[float]:
        seconds.clear()
        configure(stub.url, **more)
        for service, call in (("sqs", "list_queues"), ("dynamodb", "list_tables")):
            client = aws.client(service)
            client.meta.events.register_last("before-send", note)
            getattr(client, call)()
        client = aws.client("sqs")
        client.receive_message(QueueUrl=f"{stub.url}/1/q", WaitTimeSeconds=20)
        return list(seconds)

    assert asked() == [24, 24, 24]
    listed, tables, polled = asked(request_seconds=5.0)
    assert 4 < listed <= 5
    assert 4 < tables <= 5
    assert polled > 23
    aws.reset()
    work(2.0)
    assert all(0 < each <= 2 for each in asked())


def test_a_long_poll_gets_its_twenty_seconds(stub: Stub, configure: Configure) -> None:
    configure(stub.url, request_seconds=1.0)
    assert aws.client("sqs").meta.config.read_timeout > 20
    assert aws.client("dynamodb").meta.config.read_timeout == 1.0


def test_the_connections_suffice_for_the_threads(stub: Stub, configure: Configure) -> None:
    configure(stub.url, web_threads=40)
    assert aws.client("sqs").meta.config.max_pool_connections >= 40
    configure(stub.url, threads=64)
    assert aws.client("sqs").meta.config.max_pool_connections >= 64

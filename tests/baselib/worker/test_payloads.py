"""Bodies that are in S3: sent, found again, refused where they may not be, and removed in the end."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from baselib import aws
from baselib.aws import configure_aws
from baselib.contract import Settings
from baselib.testing import CapturedLogs, EmbeddedAws
from baselib.worker.message import Reject
from baselib.worker.payloads import Fetched, PayloadError, configure_payloads, fetched, followed
from baselib.worker.producer import send, send_many
from baselib.worker.sending.errors import SendError
from tests.baselib.processes import IDENTITY

LIMIT = 1_048_576
BUCKET = "payloads"
LARGE = "é" * (LIMIT // 2 + 1)
CLASS = "software.amazon.payloadoffloading.PayloadS3Pointer"


@pytest.fixture
def bucket(embedded_aws: EmbeddedAws, queue_url: str) -> Iterator[str]:
    environment = {**IDENTITY, **embedded_aws.environment, "PAYLOAD_BUCKET": BUCKET}
    settings = Settings.from_environment(environment)
    configure_aws(settings)
    configure_payloads(settings)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for key in _keys():
        s3.delete_object(Bucket=BUCKET, Key=key)
    yield BUCKET
    configure_payloads(None)


def _keys() -> list[str]:
    return [each["Key"] for each in aws.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def _received(queue_url: str) -> dict[str, Any]:
    answer = aws.client("sqs").receive_message(QueueUrl=queue_url, WaitTimeSeconds=1, MessageAttributeNames=["All"])
    found: dict[str, Any] = answer["Messages"][0]
    return found


def _raw(body: object, size: object, name: str = "ExtendedPayloadSize") -> dict[str, Any]:
    return {
        "Body": body if isinstance(body, str) else json.dumps(body),
        "MessageAttributes": {name: {"DataType": "Number", "StringValue": str(size)}},
    }


def _pointer(key: str, bucket: str = BUCKET, name: str = CLASS) -> list[object]:
    return [name, {"s3BucketName": bucket, "s3Key": key}]


def test_a_large_body_goes_through_s3_and_is_removed_at_the_end(queue_url: str, bucket: str) -> None:
    send(queue_url, LARGE, attributes={"kind": "report"})
    raw = _received(queue_url)
    assert json.loads(raw["Body"]) == _pointer(_keys()[0])
    assert raw["MessageAttributes"]["ExtendedPayloadSize"] == {
        "DataType": "Number",
        "StringValue": str(len(LARGE.encode())),
    }
    body, cleanup = fetched(raw, bucket)
    assert body == LARGE
    assert len(_keys()) == 1
    assert cleanup is not None
    cleanup()
    assert _keys() == []


def test_only_what_is_too_large_goes_there(queue_url: str, bucket: str) -> None:
    send_many(queue_url, ["small", LARGE, "x" * LIMIT])
    assert len(_keys()) == 1
    assert fetched({"Body": "small"}, bucket) == Fetched("small", None)


def test_a_pointer_of_the_first_java_library_is_followed(bucket: str) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="0a-1b", Body=b"hola")
    body = _pointer("0a-1b", name="com.amazon.sqs.javamessaging.MessageS3Pointer")
    assert fetched(_raw(body, 4, "SQSLargePayloadSize"), bucket).body == "hola"


def test_what_only_looks_like_a_pointer_is_left_alone(bucket: str) -> None:
    body = json.dumps(_pointer("key"))
    assert fetched({"Body": body}, bucket) == Fetched(body, None)


def test_the_pointer_inside_of_an_envelope_is_followed(bucket: str) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="key", Body=b"hola")
    assert followed(json.dumps(_pointer("key")), {"ExtendedPayloadSize": "4"}, bucket).body == "hola"


REFUSED = [
    ("hello", 5, BUCKET, "its body is no pointer"),
    ("[" * 9_000, 5, BUCKET, "its body is no pointer"),
    ("[" * 8_000, 5, BUCKET, "its body is no pointer"),
    ([CLASS, {"s3BucketName": BUCKET}], 5, BUCKET, "its body is no pointer"),
    ([CLASS, {"s3BucketName": BUCKET, "s3Key": 1}], 5, BUCKET, "its body is no pointer"),
    (["java.lang.Runtime", {"s3BucketName": BUCKET, "s3Key": "key"}], 5, BUCKET, "its body is no pointer"),
    (_pointer("key"), 5, None, "PAYLOAD_BUCKET is not set"),
    (_pointer("key", "salaries"), 5, BUCKET, "is in another bucket than payloads"),
    (_pointer(""), 5, BUCKET, "the body's key"),
    (_pointer("a b"), 5, BUCKET, "the body's key"),
    (_pointer("a\n"), 5, BUCKET, "the body's key"),
    (_pointer("k" * 1_025), 5, BUCKET, "the body's key"),
    (_pointer("key"), "", BUCKET, "is said to have ''"),
    (_pointer("key"), -5, BUCKET, "is said to have '-5' bytes"),
    (_pointer("key"), "5e0", BUCKET, "is said to have '5e0' bytes"),
    (_pointer("key"), 101, BUCKET, "is said to have '101' bytes: accepted are 0 to 100"),
    (_pointer("key"), 4, BUCKET, "has 5 bytes, and the message says 4"),
    (_pointer("key"), 6, BUCKET, "has 5 bytes, and the message says 6"),
    (_pointer("gone"), 5, BUCKET, "no object 'gone' in payloads"),
    (_pointer("latin"), 1, BUCKET, "is not UTF-8"),
]


@pytest.mark.parametrize(("body", "size", "only", "told"), REFUSED)
def test_what_may_not_be_followed_is_rejected(
    body: object, size: object, only: str | None, told: str, bucket: str
) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="key", Body=b"hello")
    aws.client("s3").put_object(Bucket=bucket, Key="latin", Body=b"\xe9")
    with pytest.raises(PayloadError, match=told) as refused:
        fetched(_raw(body, size), only, maximum_bytes=100)
    assert isinstance(refused.value, Reject)
    assert "hello" not in str(refused.value)
    assert _keys() == ["key", "latin"]


def test_s3_that_refuses_for_a_while_is_no_reason_to_reject(bucket: str) -> None:
    aws.client("s3").delete_bucket(Bucket=bucket)
    with pytest.raises(Exception, match="NoSuchBucket") as refused:
        fetched(_raw(_pointer("key"), 5), bucket)
    assert not isinstance(refused.value, Reject)


def test_a_body_that_breaks_off_is_read_again(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415
    from botocore.response import StreamingBody  # noqa: PLC0415

    aws.client("s3").put_object(Bucket=bucket, Key="key", Body=b"hello")
    read, reads = StreamingBody.read, []

    def breaking(self: Any, amt: int | None = None) -> bytes:
        reads.append(1)
        if len(reads) == 1:
            raise ReadTimeoutError(endpoint_url="s3")
        found: bytes = read(self, amt)
        return found

    monkeypatch.setattr(StreamingBody, "read", breaking)
    assert fetched(_raw(_pointer("key"), 5), bucket).body == "hello"
    assert len(reads) == 2


def test_a_body_that_cannot_be_removed_fails_nothing(
    bucket: str, captured_metrics: list[str], captured_logs: CapturedLogs
) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="key", Body=b"hello")
    cleanup = fetched(_raw(_pointer("key"), 5), bucket).cleanup
    assert cleanup is not None
    aws.client("s3").delete_object(Bucket=bucket, Key="key")
    aws.client("s3").delete_bucket(Bucket=bucket)
    cleanup()
    assert "test.payloads.left:1|c" in captured_metrics
    assert "payload left in S3" in [line["message"] for line in captured_logs]


def test_a_body_whose_message_is_refused_is_removed(queue_url: str, bucket: str) -> None:
    with pytest.raises(SendError, match="NonExistentQueue"):
        send(f"{queue_url}-gone", LARGE)
    assert _keys() == []


def test_a_body_whose_message_sqs_may_have_is_kept(
    queue_url: str,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415

    def no_answer(**_: object) -> None:
        raise ReadTimeoutError(endpoint_url="sqs")

    aws.client("sqs").meta.events.register("before-send.sqs", no_answer)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with pytest.raises(SendError, match=r"ReadTimeoutError: .* \(SQS may have it\)"):
        send(queue_url, LARGE)
    assert len(_keys()) == 1


def test_a_body_that_s3_does_not_take_is_a_message_that_is_not_sent(queue_url: str, bucket: str) -> None:
    aws.client("s3").delete_bucket(Bucket=bucket)
    with pytest.raises(
        SendError, match="sent 1 of 3 messages: message 1: NoSuchBucket: its body is not in S3"
    ) as refused:
        send_many(queue_url, iter(["first", LARGE, "last"]))
    assert [failure.code for failure in refused.value.failures] == ["NoSuchBucket", "HeldBack"]
    assert _received(queue_url)["Body"] == "first"


def test_the_bucket_of_the_variables_counts_where_nothing_was_configured(
    queue_url: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_payloads(None)
    for name, value in {**IDENTITY, "PAYLOAD_BUCKET": bucket}.items():
        monkeypatch.setenv(name, value)
    send(queue_url, LARGE)
    assert len(_keys()) == 1

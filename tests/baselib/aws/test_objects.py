"""Objects: read from S3 when they have changed, bounded in bytes, and fetched once for all who want them."""

import os
import threading
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

from baselib import aws
from baselib.aws import deadlines
from baselib.aws.deadlines import DeadlineExceededError
from baselib.testing import EmbeddedAws
from tests.baselib.aws.conftest import Configure
from tests.baselib.aws.stub import Answer, Request, Stub
from tests.baselib.processes import until

BUCKET = "duolingo-tested"


@pytest.fixture
def s3(embedded_aws: EmbeddedAws, configure: Configure) -> Any:
    """The embedded S3 with the bucket, which the service may use."""
    s3 = embedded_aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    configure(embedded_aws.url)
    return s3


def _reads(lines: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in "\n".join(lines).splitlines():
        if ".aws.objects.reads:" in line:
            result = line.partition("result:")[2].partition(",")[0]
            found[result] = found.get(result, 0) + 1
    return found


@pytest.fixture
def asked(configure: Configure, stub: Stub) -> list[Request]:
    """What an S3 was asked that knows one object of ten bytes."""

    def answer(request: Request) -> Answer:
        if request.headers.get("If-None-Match") == '"1"':
            return Answer(304, b"", {"ETag": '"1"'})
        return Answer(200, b"0123456789" if request.method == "GET" else b"", {"ETag": '"1"'})

    stub.answer = answer
    configure(stub.url)
    return stub.requests


def test_an_unchanged_object_is_not_transferred_again(s3: Any, captured_metrics: list[str]) -> None:
    s3.put_object(Bucket=BUCKET, Key="es/1.json", Body=b"hola")
    objects = aws.Objects(BUCKET)
    assert [objects.get("es/1.json") for _ in range(3)] == [b"hola"] * 3
    assert _reads(captured_metrics) == {"miss": 1, "revalidated": 2}
    s3.put_object(Bucket=BUCKET, Key="es/1.json", Body=b"buenos dias")
    assert objects.get("es/1.json") == b"buenos dias"
    assert objects.held_bytes == len(b"buenos dias")
    s3.delete_object(Bucket=BUCKET, Key="es/1.json")
    with pytest.raises(aws.ObjectNotFoundError):
        objects.get("es/1.json")
    assert objects.held_bytes == 0


def test_a_missing_object_is_a_clear_key_error(s3: Any) -> None:
    with pytest.raises(KeyError) as missing:
        aws.Objects(BUCKET).get("es/none.json")
    assert str(missing.value) == "no object 'es/none.json' in bucket duolingo-tested"
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchBucket"):
        aws.Objects("no-such-bucket-anywhere").get("x")


def test_what_was_put_is_there_without_a_call(s3: Any, captured_metrics: list[str]) -> None:
    objects = aws.Objects(BUCKET, fresh_for=600)
    objects.put("es/2.json", b"uno", ContentType="application/json")
    assert objects.get("es/2.json") == b"uno"
    assert _reads(captured_metrics) == {"hit": 1}
    assert s3.get_object(Bucket=BUCKET, Key="es/2.json")["ContentType"] == "application/json"
    # The tag that S3 gave is the one that it is asked with.
    revalidating = aws.Objects(BUCKET)
    revalidating.put("es/2.json", b"dos")
    captured_metrics.clear()
    assert revalidating.get("es/2.json") == b"dos"
    assert _reads(captured_metrics) == {"revalidated": 1}


def test_no_bucket_is_listed_or_looked_up(asked: list[Request]) -> None:
    objects = aws.Objects(BUCKET)
    objects.get("a")
    objects.get("a")
    objects.put("b", b"1")
    assert [(request.method, request.path.partition("?")[0]) for request in asked] == [
        ("GET", f"/{BUCKET}/a"),
        ("GET", f"/{BUCKET}/a"),
        ("PUT", f"/{BUCKET}/b"),
    ]


def test_while_it_is_fresh_nobody_is_asked(asked: list[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("baselib.aws.objects.time.monotonic", lambda: now[0])
    objects = aws.Objects(BUCKET, fresh_for=60)
    for seconds, calls in ((0, 1), (59, 1), (2, 2), (59, 2), (2, 3)):
        now[0] += seconds
        assert objects.get("a") == b"0123456789"
        assert len(asked) == calls


def test_the_bound_is_in_bytes_and_the_least_recently_used_goes_first(asked: list[Request]) -> None:
    objects = aws.Objects(BUCKET, maximum_bytes=29, fresh_for=600)
    for key in ("a", "b", "a", "c"):
        objects.get(key)
        assert objects.held_bytes <= 29
    assert len(asked) == 3
    objects.get("a")
    assert len(asked) == 3
    objects.get("b")
    assert len(asked) == 4


def test_an_object_above_the_bound_is_read_but_not_kept(asked: list[Request]) -> None:
    objects = aws.Objects(BUCKET, maximum_bytes=9, fresh_for=600)
    assert objects.get("a") == objects.get("a") == b"0123456789"
    assert len(asked) == 2
    objects.put("b", b"0123456789")
    assert objects.held_bytes == 0
    assert list(objects._held) == []


def test_empty_objects_are_bounded_too(asked: list[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baselib.aws.objects._MAXIMUM_OBJECTS", 3)
    objects = aws.Objects(BUCKET)
    for number in range(10):
        objects.put(str(number), b"")
    assert list(objects._held) == ["7", "8", "9"]


@pytest.mark.parametrize("bounds", [{"maximum_bytes": -1}, {"fresh_for": -1.0}])
def test_negative_bounds_are_refused(bounds: Any) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        aws.Objects(BUCKET, **bounds)


@pytest.mark.parametrize("body", ["text", 5, None])
def test_only_bytes_can_be_put(asked: list[Request], body: Any) -> None:
    with pytest.raises(TypeError, match="bytes"):
        aws.Objects(BUCKET).put("a", body)
    assert asked == []


class _Gate:
    """An S3 that answers when it is told to."""

    def __init__(self, stub: Stub, *answers: Answer) -> None:
        self.opened = threading.Event()
        left = list(answers)

        def answer(_: Request) -> Answer:
            self.opened.wait(30)
            return left.pop(0) if len(left) > 1 else left[0]

        stub.answer = answer


def _in_threads(count: int, work: Callable[[], bytes]) -> tuple[list[threading.Thread], list[Any]]:
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            found.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, found


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_sixteen_threads_cause_one_call(stub: Stub, configure: Configure) -> None:
    configure(stub.url)
    aws.client("s3")
    gate, objects = _Gate(stub, Answer(200, b"x", {"ETag": '"1"'})), aws.Objects(BUCKET)
    threads, found = _in_threads(16, lambda: objects.get("a"))
    until(lambda: stub.requests, "the first has asked")
    gate.opened.set()
    _join(threads)
    assert found == [b"x"] * 16
    # Those that came only after the first had landed asked whether it had changed; nobody asked side by side.
    assert len(stub.requests) < 16


def test_an_error_is_shared_and_not_kept(stub: Stub, configure: Configure) -> None:
    configure(stub.url)
    denied = Answer(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
    gate, objects = _Gate(stub, denied), aws.Objects(BUCKET)
    threads, found = _in_threads(4, lambda: objects.get("a"))
    until(lambda: stub.requests, "the first has asked")
    gate.opened.set()
    _join(threads)
    assert all("AccessDenied" in str(error) for error in found)
    stub.answer = lambda request: Answer(200, b"x", {"ETag": '"1"'})
    assert objects.get("a") == b"x"


def test_what_was_read_before_a_put_does_not_replace_it(stub: Stub, configure: Configure) -> None:
    configure(stub.url)
    reading, go_on = threading.Event(), threading.Event()

    def answer(request: Request) -> Answer:
        if request.method == "GET":
            reading.set()
            go_on.wait(30)
            return Answer(200, b"old", {"ETag": '"1"'})
        return Answer(200, b"", {"ETag": '"2"'})

    stub.answer = answer
    objects = aws.Objects(BUCKET, fresh_for=600)
    threads, _ = _in_threads(1, lambda: objects.get("a"))
    assert reading.wait(30)
    objects.put("a", b"new")
    go_on.set()
    _join(threads)
    assert objects.get("a") == b"new"


def test_a_put_that_fails_leaves_nothing_behind(stub: Stub, configure: Configure) -> None:
    configure(stub.url)
    stub.answer = lambda request: Answer(200, b"old", {"ETag": '"1"'})
    objects = aws.Objects(BUCKET, fresh_for=600)
    objects.get("a")
    stub.answer = lambda request: Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(botocore.exceptions.ClientError):
        objects.put("a", b"new")
    stub.answer = lambda request: Answer(200, b"unknown", {"ETag": '"2"'})
    assert objects.get("a") == b"unknown"


def test_a_body_that_breaks_off_is_read_again(stub: Stub, configure: Configure) -> None:
    configure(stub.url)
    whole = Answer(200, b"0123456789", {"ETag": '"1"'})
    stub.answer_in_turn(Answer(200, b"0123456789", {"ETag": '"1"'}, cut=True), whole)
    assert aws.Objects(BUCKET).get("a") == b"0123456789"
    stub.answer = lambda request: Answer(200, b"0123456789", {"ETag": '"1"'}, cut=True)
    with pytest.raises(botocore.exceptions.BotoCoreError):
        aws.Objects(BUCKET).get("a")


def test_a_thread_waits_no_longer_than_its_work_may_take(
    stub: Stub, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(stub.url)
    gate, objects = _Gate(stub, Answer(200, b"x", {"ETag": '"1"'})), aws.Objects(BUCKET)
    threads, found = _in_threads(1, lambda: objects.get("a"))
    until(lambda: stub.requests, "the first has asked")
    monkeypatch.setattr(deadlines, "span_deadline", lambda: 0.0)
    with pytest.raises(DeadlineExceededError, match="no time left for 'a' of duolingo-tested"):
        objects.get("a")
    gate.opened.set()
    _join(threads)
    assert found == [b"x"]


# From Python 3.12 on a fork beside threads warns; that it works all the same is what is tested.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_is_not_stopped_by_the_parents_threads(asked: list[Request]) -> None:
    objects = aws.Objects(BUCKET, fresh_for=600)
    objects.get("a")
    with objects._lock:
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if objects.held_bytes == 0 and objects.get("b") == b"0123456789" else 1)
            finally:
                os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert objects.held_bytes == 10
    assert repr(objects) == "Objects('duolingo-tested')"

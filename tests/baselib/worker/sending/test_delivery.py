"""What becomes of messages when SQS fails, against a stub that does."""

import itertools
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from baselib import aws
from baselib.telemetry import Span, observed
from baselib.worker.producer import send, send_many
from baselib.worker.sending import delivery
from baselib.worker.sending.errors import SendError, UnsendableError
from baselib.worker.sending.outgoing import Outgoing
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault

BATCH = ("SendMessageBatch",)
numbers = itertools.count()


@pytest.fixture
def url(stub: Stub) -> str:
    return stub.make_queue(f"lessons-{next(numbers)}")


@pytest.fixture
def fifo_url(stub: Stub) -> str:
    return stub.make_queue(f"lessons-{next(numbers)}.fifo")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    # botocore pauses too; the stub, a process of its own, is not sped up.
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def _bodies(count: int) -> list[str]:
    return [str(n) for n in range(count)]


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (1, 1), (10, 1), (11, 2), (100, 10), (101, 11)])
def test_small_messages_take_a_call_for_ten(stub: Stub, url: str, count: int, calls: int) -> None:
    ids = send_many(url, _bodies(count))
    assert stub.statistics().calls.get("SendMessageBatch", 0) == calls
    assert stub.bodies(url) == _bodies(count)
    sent = {event.message for event in stub.ledger(url.rpartition("/")[2])}
    assert set(ids) == sent
    assert len(ids) == count


def test_ids_come_in_the_order_of_the_messages(url: str) -> None:
    ids = send_many(url, _bodies(25))
    found: dict[str, str] = {}
    while len(found) < 25:
        answer = aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        found.update({raw["MessageId"]: raw["Body"] for raw in answer["Messages"]})
    assert [found[each] for each in ids] == _bodies(25)


def test_a_million_messages_are_never_in_memory_together(stub: Stub, url: str) -> None:
    ahead: list[int] = []

    def messages() -> Iterator[str]:
        for taken in range(200):
            ahead.append(taken - sum(stub.counts(url)) if taken % 25 == 0 else 0)
            yield str(taken)

    send_many(url, messages())
    assert max(ahead) <= 10


def test_large_messages_share_a_call_as_far_as_they_fit(stub: Stub, url: str) -> None:
    send_many(url, ["x" * 400_000] * 5)
    assert stub.statistics().calls["SendMessageBatch"] == 3


def test_what_fails_without_the_senders_fault_is_sent_again(stub: Stub, url: str) -> None:
    stub.set_faults(Fault("fail_entries", 0.2, BATCH), seed=1)
    ids = send_many(url, _bodies(300))
    assert sorted(stub.bodies(url), key=int) == _bodies(300)
    assert len(set(ids)) == 300


def test_it_is_not_sent_again_for_ever(stub: Stub, url: str) -> None:
    stub.set_faults(Fault("fail_entries", 1.0, BATCH))
    with pytest.raises(SendError, match=r"sent 0 of 10 messages: message 0: .*; and 7 more") as refused:
        send_many(url, iter(_bodies(25)))
    assert stub.statistics().calls["SendMessageBatch"] == 10
    assert [failure.index for failure in refused.value.failures] == list(range(10))
    assert not any(failure.uncertain for failure in refused.value.failures)
    assert stub.bodies(url) == []


def test_it_is_not_sent_again_when_the_work_has_no_time_left(
    stub: Stub, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "back_off", lambda _retry: 60.0)
    stub.set_faults(Fault("fail_entries", 1.0, BATCH))
    with observed(Span("request", "/", budget=30.0), ()), pytest.raises(SendError):
        send_many(url, _bodies(3))
    assert stub.statistics().calls["SendMessageBatch"] == 1


@pytest.mark.parametrize("lazily", [False, True])
def test_whoever_tries_the_rest_sends_nothing_twice(stub: Stub, url: str, lazily: bool) -> None:
    given = _bodies(40)
    messages = iter(given) if lazily else given
    stub.set_faults(Fault("throttle", count=4, actions=BATCH))
    with pytest.raises(SendError) as first:
        send_many(url, messages)
    stub.clear_faults()
    error = first.value
    assert [failure.code for failure in error.failures] == ["ThrottlingException"] * 10
    assert not any(failure.uncertain for failure in error.failures)
    assert (error.taken, dict(error.sent)) == (10, {})
    remaining = messages if lazily else given[error.taken :]
    send_many(url, itertools.chain(error.rest, remaining))
    assert stub.bodies(url) == given


def test_what_was_sent_before_a_call_failed_is_told(stub: Stub, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = delivery._Batch._call
    calls = itertools.count()

    def third_is_throttled(batch: Any, entries: Any) -> Any:
        if next(calls) == 2:
            stub.set_faults(Fault("throttle", actions=BATCH))
        return real(batch, entries)

    monkeypatch.setattr(delivery._Batch, "_call", third_is_throttled)
    with pytest.raises(SendError, match="sent 20 of 30 messages: message 20: ThrottlingException") as refused:
        send_many(url, _bodies(50))
    ids = {event.message for event in stub.ledger(url.rpartition("/")[2])}
    assert sorted(refused.value.sent) == list(range(20))
    assert set(refused.value.sent.values()) == ids


def test_an_answer_that_is_lost_is_uncertain(stub: Stub, url: str) -> None:
    # The first attempt breaks off after SQS has the messages, and the others are refused.
    stub.set_faults(Fault("lose_answer"))
    aws.client("sqs").meta.events.register_first("needs-retry.sqs", lambda **_: stub.set_faults(Fault("throttle")))
    with pytest.raises(SendError, match=r"ThrottlingException: .* \(SQS may have it\)") as refused:
        send_many(url, ["x"])
    assert stub.bodies(url) == ["x"]
    assert refused.value.failures[0].uncertain


@pytest.mark.parametrize(
    ("status", "code", "uncertain"),
    [(500, "InternalFailure", True), (503, "ServiceUnavailable", True), (503, "ThrottlingException", False)],
)
def test_an_error_of_sqs_leaves_it_open_and_throttling_does_not(
    stub: Stub, url: str, status: int, code: str, uncertain: bool
) -> None:
    stub.set_faults(Fault("error", status=status, code=code))
    with pytest.raises(SendError) as refused:
        send(url, "x")
    assert refused.value.failures[0].uncertain is uncertain


def test_a_connection_that_never_came_about_is_certain(url: str) -> None:
    endpoint = "http://127.0.0.1:9"
    client = aws.client("sqs")

    def elsewhere(request: Any, **_: object) -> None:
        request.url = endpoint

    client.meta.events.register("before-send.sqs", elsewhere)
    for call in (lambda: send(url, "x"), lambda: send_many(url, ["x"])):
        with observed(Span("request", "/", budget=1.0), ()), pytest.raises(SendError) as refused:
            call()
        assert refused.value.failures[0].code == "EndpointConnectionError"
        assert not refused.value.failures[0].uncertain


def test_no_time_left_sends_nothing_and_is_certain(stub: Stub, url: str) -> None:
    with observed(Span("request", "/", budget=0.0), ()), pytest.raises(SendError) as refused:
        send(url, "x")
    assert refused.value.failures[0].code == "DeadlineExceededError"
    assert not refused.value.failures[0].uncertain
    assert stub.bodies(url) == []


def test_a_list_is_checked_before_anything_is_sent(stub: Stub, url: str) -> None:
    with pytest.raises(UnsendableError, match="message 24 of 25: the body holds U\\+0000 at 0"):
        send_many(url, [*_bodies(24), "\x00"])
    assert stub.statistics().calls.get("SendMessageBatch", 0) == 0


def test_what_comes_before_a_bad_message_of_an_iterator_is_sent(stub: Stub, url: str) -> None:
    told = "sent 12 of 13 messages: message 12: UnsendableError: the body is empty"
    with pytest.raises(SendError, match=told) as refused:
        send_many(url, iter([*_bodies(12), "", "never taken"]))
    assert stub.bodies(url) == _bodies(12)
    assert sorted(refused.value.sent) == list(range(12))
    assert isinstance(refused.value.__cause__, UnsendableError)


def test_messages_that_break_off_tell_what_was_sent(stub: Stub, url: str) -> None:
    def messages() -> Iterator[str]:
        yield from _bodies(12)
        raise LookupError("the cursor is gone")

    with pytest.raises(SendError, match="sent 12 of 12 messages; the messages broke off after 12") as refused:
        send_many(url, messages())
    assert stub.bodies(url) == _bodies(12)
    assert isinstance(refused.value.__cause__, LookupError)


@pytest.mark.parametrize("one", ["text", b"bytes", {"a": 1}])
def test_one_message_is_not_many(url: str, one: Any) -> None:
    with pytest.raises(TypeError, match="send takes one"):
        send_many(url, one)


# FIFO queues


def test_equal_jobs_are_not_dropped(stub: Stub, fifo_url: str) -> None:
    send_many(fifo_url, ["same"] * 3, group="a")
    send(fifo_url, "same", group="a")
    assert stub.bodies(fifo_url) == ["same"] * 4


def test_a_queue_that_goes_by_content_does_so(stub: Stub) -> None:
    url = stub.make_queue(f"lessons-{next(numbers)}.fifo", ContentBasedDeduplication="true")
    send_many(url, ["same"] * 3, group="a")
    send(url, "same", group="a")
    assert stub.bodies(url) == ["same"]
    assert stub.statistics().calls["GetQueueAttributes"] == 1


def test_an_id_of_the_senders_own_counts(stub: Stub, fifo_url: str) -> None:
    send(fifo_url, "one", group="a", deduplication_id="job-1")
    send_many(fifo_url, [Outgoing("two", group="a", deduplication_id="job-1"), Outgoing("three", group="b")])
    assert stub.bodies(fifo_url) == ["one", "three"]
    assert stub.statistics().calls["GetQueueAttributes"] == 1


def test_without_the_permission_to_ask_each_message_has_an_id_of_its_own(stub: Stub, fifo_url: str) -> None:
    stub.set_faults(Fault("error", actions=("GetQueueAttributes",), status=400, code="AccessDeniedException"))
    send_many(fifo_url, ["same"] * 3, group="a")
    assert stub.bodies(fifo_url) == ["same"] * 3


def test_a_queue_that_does_not_say_how_it_goes_gets_nothing(stub: Stub, fifo_url: str) -> None:
    stub.set_faults(Fault("throttle", actions=("GetQueueAttributes",)))
    with pytest.raises(SendError, match="message 0: ThrottlingException") as refused:
        send(fifo_url, "x", group="a")
    assert not refused.value.failures[0].uncertain
    with pytest.raises(SendError, match="message 0: ThrottlingException"):
        send_many(fifo_url, ["x"], group="a")


def _answers(monkeypatch: pytest.MonkeyPatch, *refused: dict[str, bool]) -> list[list[str]]:
    """Let SQS refuse bodies, call by call: True where it is the sender's fault. Returns what it accepted of each."""
    accepted: list[list[str]] = []
    remaining = iter(refused)

    def call(_batch: Any, entries: Any) -> Any:
        refusing = next(remaining, {})
        bodies = {entry.index: entry.parameters["MessageBody"] for entry in entries}
        accepted.append([body for body in bodies.values() if body not in refusing])
        sent = {index: f"id-{body}" for index, body in bodies.items() if body not in refusing}
        failed = {
            index: {"Code": "InternalError", "Message": "sorry", "SenderFault": refusing[body]}
            for index, body in bodies.items()
            if body in refusing
        }
        return sent, failed

    monkeypatch.setattr(delivery._Batch, "_call", call)
    return accepted


def _grouped(*bodies: str) -> list[Outgoing]:
    """Messages whose group is their first letter."""
    return [Outgoing(body, group=body[0]) for body in bodies]


def test_what_failed_in_a_group_is_sent_again_one_by_one(fifo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = _answers(monkeypatch, {"a2": False, "a3": False, "b2": False}, {"a2": False})
    send_many(fifo_url, _grouped("a1", "b1", "a2", "b2", "a3"))
    assert accepted == [["a1", "b1"], ["b2"], ["a2"], ["a3"]]


def test_nothing_of_a_group_goes_past_one_that_was_given_up(fifo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = _answers(monkeypatch, {"a1": True, "a2": False, "b1": False})
    with pytest.raises(SendError) as refused:
        send_many(fifo_url, [*_grouped("a1", "a2", "b1"), *_grouped(*["c"] * 7), *_grouped("a3", "d1")])
    assert accepted == [["c"] * 7, ["b1"]]
    told = [(failure.index, failure.code, failure.overtaken) for failure in refused.value.failures]
    assert told == [(0, "InternalError", False), (1, "InternalError", False)]
    assert refused.value.taken == 10


def test_what_was_held_back_says_so(fifo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, {"a1": False, "a2": False}, {"a1": True})
    with pytest.raises(SendError) as refused:
        send_many(fifo_url, _grouped("a1", "a2"))
    assert [failure.code for failure in refused.value.failures] == ["InternalError", "HeldBack"]


def test_a_message_that_was_overtaken_is_not_sent_behind_it(fifo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = _answers(monkeypatch, {"a1": False})
    with pytest.raises(SendError, match=r"message 0: InternalError: sorry \(overtaken\)") as refused:
        send_many(fifo_url, _grouped("a1", "a2"))
    assert accepted == [["a2"]]
    assert dict(refused.value.sent) == {1: "id-a2"}


def test_the_rest_of_a_fifo_queue_is_taken_once_even_if_sqs_has_it(stub: Stub, fifo_url: str) -> None:
    send(fifo_url, "before", group="a")
    stub.set_faults(Fault("lose_answer", actions=BATCH))
    with observed(Span("request", "/", budget=2.0), ()), pytest.raises(SendError) as refused:
        send_many(fifo_url, ["one", "two"], group="a")
    assert all(failure.uncertain for failure in refused.value.failures)
    stub.clear_faults()
    assert len(send_many(fifo_url, refused.value.rest)) == 2
    assert stub.bodies(fifo_url) == ["before", "one", "two"]


def test_messages_are_counted(stub: Stub, url: str, captured_metrics: list[str]) -> None:
    send_many(url, _bodies(12))
    stub.set_faults(Fault("throttle"))
    with pytest.raises(SendError):
        send(url, "x")
    queue = url.rpartition("/")[2]
    assert [line for line in captured_metrics if "messages.sent" in line] == [
        f"test.messages.sent:10|c|#queue:{queue},outcome:sent",
        f"test.messages.sent:2|c|#queue:{queue},outcome:sent",
        f"test.messages.sent:1|c|#queue:{queue},outcome:failed",
    ]


def test_the_ids_of_the_work_go_along_in_a_batch(url: str) -> None:
    trace = "1-67891233-abcdef012345678912345678"
    with observed(Span("request", "/", request_id="work", trace_id=trace), ()):
        send_many(url, ["x"])
    answer = aws.client("sqs").receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )
    (raw,) = answer["Messages"]
    assert raw["MessageAttributes"]["X-Request-Id"]["StringValue"] == "work"
    assert raw["Attributes"]["AWSTraceHeader"] == f"Root={trace}"


def test_what_was_not_sent_survives_the_way_to_another_process(stub: Stub, url: str) -> None:
    stub.set_faults(Fault("throttle"))
    with pytest.raises(SendError) as refused:
        send(url, "x")
    copy = pickle.loads(pickle.dumps(refused.value))
    assert (str(copy), copy.failures, copy.rest) == (str(refused.value), refused.value.failures, refused.value.rest)

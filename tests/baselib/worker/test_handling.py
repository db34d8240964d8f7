"""What is done with a message around its handler, and what is told of it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from baselib.contract import ConfigurationError
from baselib.lifecycle import Life
from baselib.telemetry import current_span
from baselib.testing import CapturedErrors, CapturedLogs, sqs_message
from baselib.worker import SNS, Message, Outcome, Reject, Retry, Worker
from baselib.worker import handling as handling_module
from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import DONE, Verdict
from baselib.worker.idempotency import Idempotency, MemoryStore
from baselib.worker.payloads import Fetched
from tests.baselib.processes import IDENTITY, until

ENVIRONMENT = {**IDENTITY, "SERVICE_NAME": "mailer", "QUEUE_URL": "http://127.0.0.1:9/1/main"}
TRACE = "1-67891233-abcdef012345678912345678"
Answer = Mapping[str, BaseException] | None


class Welcome(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)


def _worker(function: Callable[[Any], object], **more: Any) -> Worker:
    return Worker(lambda worker: worker.handle(function, **more), environ=ENVIRONMENT, life=Life())


def _raising(error: BaseException) -> Callable[[Any], object]:
    def handler(_: object) -> None:
        raise error

    return handler


def _message_with_id(request_id: str) -> dict[str, Any]:
    attributes: Any = {"X-Request-Id": request_id}
    return sqs_message("text", **attributes)


def test_a_message_whose_handler_returns_is_done() -> None:
    seen: list[Message[str]] = []
    assert _worker(seen.append).handle_raw(sqs_message("text", receive_count=3, colour="blue")) == (Outcome.DONE, None)
    (message,) = seen
    assert (message.body, message.receive_count, message.queue) == ("text", 3, "main")
    assert message.attributes == {"colour": "blue"}
    assert 0 <= message.age < 60


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Reject("never"), (Outcome.REJECTED, None)),
        (Retry("later"), (Outcome.RETRIED, None)),
        (Retry("later", 7), (Outcome.RETRIED, 7)),
        (ValueError("broken"), (Outcome.RETRIED, None)),
        (SystemExit(1), (Outcome.RETRIED, None)),
        (KeyboardInterrupt(), (Outcome.RETRIED, None)),
        (GeneratorExit(), (Outcome.RETRIED, None)),
        (BaseException("odd"), (Outcome.RETRIED, None)),
        (MemoryError(), (Outcome.RETRIED, None)),
        (ConfigurationError(["a missing variable"]), (Outcome.RETRIED, None)),
    ],
)
def test_what_a_handler_raises_says_what_becomes_of_the_message(
    error: BaseException, expected: tuple[Outcome, float | None]
) -> None:
    # An exception that got through would end the handler's thread, and after four of them the worker does nothing.
    assert _worker(_raising(error)).handle_raw(sqs_message("text")) == expected


def test_an_endless_recursion_costs_its_message_a_retry() -> None:
    def again(message: object) -> None:
        again(message)

    assert _worker(again).handle_raw(sqs_message("text")) == (Outcome.RETRIED, None)


@pytest.mark.parametrize("delay", ["5", [5]])
def test_a_delay_that_is_no_number_is_refused_where_it_is_given(delay: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="delay"):
        Retry("later", delay)


def test_a_body_that_fits_is_given_as_the_model() -> None:
    seen: list[Any] = []
    worker = _worker(lambda message: seen.append(message.body), body=Welcome)
    assert worker.handle_raw(sqs_message(Welcome(name="Ana")))[0] is Outcome.DONE
    assert seen == [Welcome(name="Ana")]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{}", "/name"),
        ('{"name": ""}', "/name"),
        ('{"name": 1}', "/name"),
        ('{"name": "Ana", "admin": true}', "/admin"),
        ("[]", "Welcome"),
        ("nonsense", "JSON"),
        ("", "JSON"),
    ],
)
def test_a_body_that_does_not_fit_is_rejected_with_the_reason(
    captured_logs: CapturedLogs, body: str, told: str
) -> None:
    raw = sqs_message(body)
    worker = _worker(_raising(AssertionError("it must not be called")), body=Welcome)
    assert worker.handle_raw(raw) == (Outcome.REJECTED, None)
    line = captured_logs.one("rejected")
    assert line["level"] == "ERROR"
    assert told in line["reason"]
    assert line["message_id"] == raw["MessageId"]


def test_a_rejection_does_not_log_what_was_sent(captured_logs: CapturedLogs) -> None:
    _worker(_raising(AssertionError()), body=Welcome).handle_raw(sqs_message('{"password": "hunter2"}'))
    assert captured_logs
    assert "hunter2" not in str(captured_logs)


def test_a_failure_is_logged_once_with_its_stack(captured_logs: CapturedLogs) -> None:
    _worker(_raising(ValueError("broken"))).handle_raw(sqs_message("text"))
    (line,) = [line for line in captured_logs if "error.stack" in line]
    assert (line["message"], line["error.message"]) == ("handler failed", "broken")


def test_the_ids_of_the_sender_are_in_every_log_line(captured_logs: CapturedLogs) -> None:
    raw = _message_with_id("from-the-sender")
    raw["Attributes"]["AWSTraceHeader"] = f"Root={TRACE};Sampled=1"
    worker = _worker(_raising(Reject("never")))
    captured_logs.clear()
    worker.handle_raw(raw)
    assert [line["message"] for line in captured_logs] == ["rejected", "message finished"]
    assert {(line["request_id"], line["trace_id"]) for line in captured_logs} == {("from-the-sender", TRACE)}
    last = captured_logs[1]
    assert (last["outcome"], last["span"], last["receive_count"]) == ("rejected", "main", 1)
    assert last["message_id"] == raw["MessageId"]
    assert last["duration_ms"] >= 0


@pytest.mark.parametrize("given", ["", "a b", "a\nb", "x" * 129, '"'])
def test_an_id_that_could_forge_something_is_replaced(given: str) -> None:
    seen: list[str] = []

    def note(_: object) -> None:
        span = current_span()
        seen.append(span.request_id if span else "")

    _worker(note).handle_raw(_message_with_id(given))
    assert len(seen[0]) == 32
    assert current_span() is None


def test_messages_are_counted_by_queue_and_outcome(captured_metrics: list[str]) -> None:
    worker, other = _worker(lambda _: None), _worker(_raising(Reject("never")))
    from baselib.telemetry import metrics  # noqa: PLC0415 - the workers have configured them anew

    metrics.configure(captured_metrics.append, prefix="test")
    captured_metrics.clear()
    worker.handle_raw(sqs_message("text"))
    other.handle_raw(sqs_message("text"))
    lines = "\n".join(captured_metrics).splitlines()
    assert [line for line in lines if line.startswith("test.messages:")] == [
        "test.messages:1|c|#queue:main,outcome:done",
        "test.messages:1|c|#queue:main,outcome:rejected",
    ]
    assert len([line for line in lines if line.startswith("test.messages.time:")]) == 2
    ages = [line for line in lines if line.startswith("test.messages.age:")]
    assert [line.rpartition("|#")[2] for line in ages] == ["queue:main"] * 2


def test_sentry_is_told_of_failures_with_their_message(captured_errors: CapturedErrors) -> None:
    raw = sqs_message("secret body", receive_count=4)
    worker = _worker(_raising(ValueError("broken")))
    with CapturedErrors(worker.service.settings) as events:
        worker.handle_raw(raw)
        _worker(_raising(Reject("never"))).handle_raw(sqs_message("text"))
        _worker(_raising(Retry("later"))).handle_raw(sqs_message("text"))
    assert events.types() == ["ValueError"]
    (event,) = events
    assert event["transaction"] == "main"
    assert event["tags"]["message_id"] == raw["MessageId"]
    assert str(event["tags"]["receive_count"]) == "4"
    assert event["tags"]["request_id"]
    assert "secret body" not in str(event)
    assert not captured_errors


def test_the_time_budget_of_a_handler_is_its_limit() -> None:
    seen: list[float | None] = []

    def note(_: object) -> None:
        span = current_span()
        seen.append(span.remaining if span else None)

    _worker(note, limit=30.0).handle_raw(sqs_message("text"))
    _worker(note).handle_raw(sqs_message("text"))
    assert seen[0] is not None
    assert 0 < seen[0] <= 30
    assert seen[1] is None


def test_an_envelope_is_opened() -> None:
    seen: list[Message[Welcome]] = []
    notification = (
        '{"Type": "Notification", "MessageId": "sns-1", "TopicArn": "arn:aws:sns:us-east-1:1:t", '
        '"Message": "{\\"name\\": \\"Ana\\"}", "Timestamp": "2026-11-23T10:00:00.000Z"}'
    )
    worker = _worker(seen.append, body=Welcome, envelopes=[SNS])
    assert worker.handle_raw(sqs_message(notification)) == (Outcome.DONE, None)
    (message,) = seen
    assert (message.body.name, message.event_id) == ("Ana", "sns-1")
    assert message.sent == 1795428000.0
    assert worker.handle_raw(sqs_message("text"))[0] is Outcome.REJECTED


def test_a_body_in_s3_is_fetched_and_removed_when_the_engine_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[str] = []

    def fetched(raw: dict[str, Any], bucket: str | None) -> Fetched:
        assert bucket is None
        return Fetched("from S3", lambda: removed.append(raw["MessageId"]))

    monkeypatch.setattr(handling_module, "fetched", fetched)
    bodies: list[str] = []
    lease = Lease.for_test(sqs_message("pointer"))
    assert _worker(lambda message: bodies.append(message.body)).handling(None)([lease]) == [DONE]
    assert (bodies, removed) == (["from S3"], [])
    assert lease.on_deleted is not None
    lease.on_deleted()
    assert removed == [lease.raw["MessageId"]]


def test_s3_that_does_not_answer_costs_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling_module, "fetched", lambda *_: _raising(TimeoutError("no answer"))(None))
    worker = _worker(_raising(AssertionError("it must not be called")))
    assert worker.handle_raw(sqs_message("pointer")) == (Outcome.RETRIED, None)


class _Failing(MemoryStore):
    def put(self, *_: object) -> Any:
        raise OSError("the store is away")


def test_a_duplicate_is_done_without_the_handler() -> None:
    seen: list[object] = []
    worker = _worker(seen.append, idempotency=Idempotency(MemoryStore()))
    raw = sqs_message("text")
    assert [worker.handle_raw(raw)[0] for _ in range(3)] == [Outcome.DONE] * 3
    assert len(seen) == 1


def test_after_a_failure_the_message_may_be_handled_again_at_once() -> None:
    failures = iter([ValueError("broken"), Reject("never")])
    seen: list[object] = []

    def handle(message: object) -> None:
        seen.append(message)
        failure = next(failures, None)
        if failure is not None:
            raise failure

    worker = _worker(handle, idempotency=Idempotency(MemoryStore()))
    raw = sqs_message("text")
    outcomes = [worker.handle_raw(raw)[0] for _ in range(4)]
    assert outcomes == [Outcome.RETRIED, Outcome.REJECTED, Outcome.DONE, Outcome.DONE]
    assert len(seen) == 3


def test_what_somebody_else_is_handling_comes_again_later() -> None:
    entered, released = threading.Event(), threading.Event()

    def handle(_: object) -> None:
        entered.set()
        assert released.wait(30)

    worker = _worker(handle, idempotency=Idempotency(MemoryStore()))
    raw = sqs_message("text")
    first = threading.Thread(target=worker.handle_raw, args=(raw,))
    first.start()
    assert entered.wait(30)
    outcome, delay = worker.handle_raw(raw)
    released.set()
    first.join()
    assert outcome is Outcome.RETRIED
    assert delay is not None
    assert 100 < delay <= 121


def test_the_record_is_extended_with_its_message() -> None:
    store = MemoryStore()
    expiries: list[int] = []

    def expires() -> int:
        (record,) = store._records.values()
        return record.expires

    def handle(message: Message[str]) -> None:
        assert isinstance(message.held, Lease)
        assert message.held.on_extended is not None
        expiries.append(expires())
        message.held.on_extended(5000)
        until(lambda: expires() > time.time() + 4000, "it is extended")

    lease = Lease.for_test(sqs_message("text"))
    assert _worker(handle, idempotency=Idempotency(store)).handling(None)([lease]) == [DONE]
    assert expiries[0] <= time.time() + 122
    assert lease.on_extended is None


def test_where_the_store_is_away_nothing_is_handled() -> None:
    worker = _worker(_raising(AssertionError("it must not be called")), idempotency=Idempotency(_Failing()))
    assert worker.handle_raw(sqs_message("text")) == (Outcome.RETRIED, None)


def _batch(function: Callable[[Sequence[Message[Any]]], object], *raws: dict[str, Any], **more: Any) -> list[Verdict]:
    return _worker(function, batch=10, **more).handling(None)([Lease.for_test(raw) for raw in raws])


def test_a_batch_is_given_as_a_list_in_order() -> None:
    seen: list[str] = []
    raws = [sqs_message(str(number)) for number in range(3)]
    verdicts = _batch(lambda messages: seen.extend(each.body for each in messages), *raws)
    assert seen == ["0", "1", "2"]
    assert verdicts == [DONE] * 3


def test_a_batch_says_which_of_its_messages_failed_and_how() -> None:
    raws = [sqs_message(str(number)) for number in range(4)]
    ids = [raw["MessageId"] for raw in raws]
    answer = {ids[1]: Reject("never"), ids[2]: Retry("later", 9), ids[3]: ValueError("broken")}
    assert _batch(lambda _: answer, *raws) == [
        DONE,
        Verdict(Outcome.REJECTED, None, "never"),
        Verdict(Outcome.RETRIED, 9, "later"),
        Verdict(Outcome.RETRIED, None, "ValueError"),
    ]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"unknown": ValueError("broken")}, "not in the batch: ['unknown']"),
        (["an id"], "a mapping from the ids"),
        (True, "a mapping from the ids"),
        ({"an id": "a text"}, "a mapping from the ids"),
    ],
)
def test_a_batch_that_answers_something_else_comes_again(captured_logs: CapturedLogs, answer: Any, told: str) -> None:
    raws = [sqs_message(str(number)) for number in range(2)]
    verdicts = _batch(lambda _: answer, *raws)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.RETRIED] * 2
    assert told in captured_logs.with_message("handler failed")[0]["error.message"]


def test_a_batch_that_raises_comes_again() -> None:
    raws = [sqs_message(str(number)) for number in range(2)]
    assert [verdict.outcome for verdict in _batch(_raising(SystemExit(1)), *raws)] == [Outcome.RETRIED] * 2
    assert _batch(_raising(Retry("later", 3)), *raws) == [Verdict(Outcome.RETRIED, 3, "later")] * 2


def test_of_a_batch_what_does_not_fit_or_was_handled_before_is_not_given() -> None:
    seen: list[str] = []
    duplicate = sqs_message(Welcome(name="Eva"))
    worker = _worker(
        lambda messages: seen.extend(each.body.name for each in messages),
        body=Welcome,
        batch=10,
        idempotency=Idempotency(MemoryStore()),
    )
    worker.handling(None)([Lease.for_test(duplicate)])
    raws = [sqs_message("nonsense"), duplicate, sqs_message(Welcome(name="Ana"))]
    verdicts = worker.handling(None)([Lease.for_test(raw) for raw in raws])
    assert [verdict.outcome for verdict in verdicts] == [Outcome.REJECTED, Outcome.DONE, Outcome.DONE]
    assert seen == ["Eva", "Ana"]


def test_a_batch_of_which_nothing_is_left_is_not_given() -> None:
    verdicts = _batch(_raising(AssertionError("it must not be called")), sqs_message("nonsense"), body=Welcome)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.REJECTED]


def test_the_lines_of_a_batch_name_it(captured_logs: CapturedLogs) -> None:
    ids: list[str] = []

    def note(_: object) -> None:
        span = current_span()
        ids.append(span.request_id if span else "")

    raws = [_message_with_id("first"), _message_with_id("second")]
    _batch(note, *raws)
    lines = captured_logs.with_message("message finished")
    assert [line["batch_id"] for line in lines] == ids * 2
    assert [line["request_id"] for line in lines] == ["first", "second"]
    assert current_span() is None


def test_a_coroutine_is_no_work_done() -> None:
    async def work() -> None: ...

    assert _worker(lambda _: work()).handle_raw(sqs_message("text")) == (Outcome.RETRIED, None)

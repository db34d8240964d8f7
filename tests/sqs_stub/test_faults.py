"""Faults: each kind, limits, seeds, and several at once."""

import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.baselib.processes import until
from tests.sqs_stub.client import Counts, Stub
from tests.sqs_stub.fault import Fault

_ENTRIES = 10


def _send(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="x")


def _receive(sqs: Any, queue: str) -> list[dict[str, Any]]:
    return list(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []))


def _delete(sqs: Any, queue: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"Id": each["Body"], "ReceiptHandle": each["ReceiptHandle"]} for each in messages]
    return dict(sqs.delete_message_batch(QueueUrl=queue, Entries=entries))


def test_throttling(sqs: Any, stub: Stub, queue: str) -> None:
    stub.set_faults(Fault("throttle"))
    with pytest.raises(ClientError) as error:
        _send(sqs, queue)
    assert error.value.response["Error"]["Code"] == "ThrottlingException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    stub.clear_faults()
    _send(sqs, queue)
    assert stub.counts(queue) == Counts(1, 0, 0)


@pytest.mark.parametrize(
    ("status", "code", "seen"),
    [
        (500, "", "InternalFailure"),
        (503, "", "ServiceUnavailable"),
        (403, "InvalidClientTokenId", "InvalidClientTokenId"),
    ],
)
def test_errors(sqs: Any, stub: Stub, queue: str, status: int, code: str, seen: str) -> None:
    stub.set_faults(Fault("error", status=status, code=code, count=1))
    with pytest.raises(ClientError) as error:
        _send(sqs, queue)
    assert error.value.response["Error"]["Code"] == seen
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    _send(sqs, queue)
    assert stub.counts(queue) == Counts(1, 0, 0)


def test_a_reset_does_nothing(sqs: Any, stub: Stub, queue: str) -> None:
    stub.set_faults(Fault("reset", count=1))
    with pytest.raises(ConnectionClosedError):
        _send(sqs, queue)
    assert stub.counts(queue) == Counts(0, 0, 0)
    _send(sqs, queue)


def test_a_lost_answer_does_what_was_asked(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 3)
    messages = _receive(sqs, queue)
    stub.set_faults(Fault("lose_answer", actions=("DeleteMessageBatch",)))
    with pytest.raises(ConnectionClosedError):
        _delete(sqs, queue, messages)
    assert stub.counts(queue) == Counts(0, 0, 0)


def test_a_lost_answer_of_a_receive_leaves_messages_invisible(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 3)
    stub.set_faults(Fault("lose_answer", count=1))
    with pytest.raises(ConnectionClosedError):
        _receive(sqs, queue)
    assert stub.counts(queue) == Counts(0, 3, 0)


def test_a_hanging_call_is_done_when_the_fault_is_cleared(sqs: Any, stub: Stub, queue: str) -> None:
    stub.set_faults(Fault("hang", actions=("SendMessage",)))
    thread = threading.Thread(target=_send, args=(sqs, queue))
    thread.start()
    until(lambda: stub.statistics().faults.get("hang"), "the call hangs")
    assert _receive(sqs, queue) == []
    stub.clear_faults("throttle")
    assert thread.is_alive()
    stub.clear_faults("hang")
    thread.join(10)
    assert not thread.is_alive()
    assert stub.counts(queue) == Counts(1, 0, 0)


def test_a_call_that_hangs_is_not_let_go_by_another_fault(sqs: Any, stub: Stub, queue: str) -> None:
    stub.set_faults(Fault("hang", actions=("SendMessage",), count=1))
    thread = threading.Thread(target=_send, args=(sqs, queue))
    thread.start()
    until(lambda: stub.statistics().faults.get("hang"), "the call hangs")
    stub.add_faults(Fault("reset", count=1, actions=("ReceiveMessage",)))
    with pytest.raises(ConnectionClosedError):
        _receive(sqs, queue)
    other = stub.client()
    _send(other, queue)
    other.close()
    assert stub.counts(queue) == Counts(1, 0, 0)
    stub.clear_faults()
    thread.join(10)
    assert stub.counts(queue) == Counts(2, 0, 0)


def test_all_connections_are_reset_at_once(sqs: Any, stub: Stub, queue: str) -> None:
    ended: list[str] = []

    def poll() -> None:
        try:
            sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)
        except ConnectionClosedError as error:
            ended.append(type(error).__name__)

    thread = threading.Thread(target=poll)
    thread.start()
    name = queue.rpartition("/")[2]
    until(lambda: stub.statistics().queues[name].calls.get("ReceiveMessage"), "the receive waits")
    stub.reset_connections()
    thread.join(10)
    assert ended == ["ConnectionClosedError"]
    stub.fill(queue, 1)
    assert stub.counts(queue) == Counts(1, 0, 0)


def test_a_hang_ends_by_itself(sqs: Any, stub: Stub, queue: str) -> None:
    stub.set_faults(Fault("hang", seconds=0.3))
    _send(sqs, queue)
    assert stub.counts(queue) == Counts(1, 0, 0)
    assert stub.statistics().faults["hang"] >= 1


def test_who_leaves_while_it_hangs_has_asked_for_nothing(stub: Stub, queue: str) -> None:
    impatient = stub.client(seconds=0.2)
    stub.set_faults(Fault("hang"))
    with pytest.raises(ReadTimeoutError):
        _send(impatient, queue)
    impatient.close()
    stub.clear_faults()
    assert stub.counts(queue) == Counts(0, 0, 0)


def test_latency_adds_up(sqs: Any, stub: Stub, queue: str) -> None:
    stub.set_faults(Fault("latency", milliseconds=40), Fault("latency", milliseconds=60, actions=("SendMessage",)))
    start = time.monotonic()
    _send(sqs, queue)
    assert time.monotonic() - start >= 0.1


def test_a_fraction_of_entries_fails(sqs: Any, stub: Stub, queue: str) -> None:
    stub.set_faults(Fault("fail_entries", fraction=0.2, actions=("DeleteMessageBatch",)), seed=7)
    failed = 0
    for _ in range(30):
        stub.fill(queue, _ENTRIES)
        answer = _delete(sqs, queue, _receive(sqs, queue))
        for entry in answer.get("Failed", []):
            assert entry["SenderFault"] is False
            failed += 1
        assert len(answer.get("Successful", [])) + len(answer.get("Failed", [])) == _ENTRIES
    assert 30 <= failed <= 90
    assert stub.counts(queue) == Counts(0, failed, 0)
    assert stub.statistics().faults["fail_entries"] >= failed


def test_failed_entries_of_a_change_change_nothing(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 1)
    (message,) = _receive(sqs, queue)
    stub.set_faults(Fault("fail_entries"))
    answer = sqs.change_message_visibility_batch(
        QueueUrl=queue, Entries=[{"Id": "a", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}]
    )
    assert answer["Failed"][0]["SenderFault"] is False
    assert stub.counts(queue) == Counts(0, 1, 0)


def test_a_fraction_strikes_the_same_calls_with_the_same_seed(sqs: Any, stub: Stub, queue: str) -> None:
    def schedule() -> list[bool]:
        stub.set_faults(Fault("throttle", fraction=0.5), seed=3)
        struck = []
        for _ in range(20):
            try:
                _send(sqs, queue)
                struck.append(False)
            except ClientError:
                struck.append(True)
        return struck

    first = schedule()
    assert schedule() == first
    assert 0 < sum(first) < 20


def test_a_fault_ends_after_its_seconds(sqs: Any, stub: Stub, queue: str) -> None:
    stub.set_faults(Fault("throttle", seconds=0.2))

    def works() -> bool:
        try:
            _send(sqs, queue)
        except ClientError:
            return False
        return True

    assert not works()
    until(works, "the fault is over")


def test_faults_strike_only_what_they_name(sqs: Any, stub: Stub, queue: str) -> None:
    stub.add_faults(Fault("throttle", actions=("ReceiveMessage",)))
    stub.add_faults(Fault("error", status=503, actions=("DeleteMessage",)))
    _send(sqs, queue)
    with pytest.raises(ClientError, match="Rate exceeded"):
        _receive(sqs, queue)
    with pytest.raises(ClientError, match="internal error"):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle="x")


def test_a_fault_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="there is no fault 'odd'"):
        Fault("odd")
    with pytest.raises(ValueError, match="from 0 to 1"):
        Fault("reset", fraction=20)

"""The way to the dead-letter queue, over the wire."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from baselib.worker.engine.dead_letters import DeadLetters, Policy
from baselib.worker.engine.queue import Queue
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault

TRACE = "Root=1-67891233-abcdef012345678912345678"


@pytest.fixture
def sqs(stub: Stub) -> Iterator[Any]:
    client = stub.client()
    yield client
    client.close()


class _Queues:
    """A queue and its dead-letter queue."""

    def __init__(self, stub: Stub, sqs: Any, name: str, receives: int = 3) -> None:
        self.url, self.dead_url = stub.make_queue_with_dead_letters(name, receives)
        self._sqs = sqs
        self.dead_letters = DeadLetters(Queue(sqs, self.url), "main")

    def received(self, **message: Any) -> dict[str, Any]:
        self._sqs.send_message(QueueUrl=self.url, **message)
        (raw,) = Queue(self._sqs, self.url).receive(most=1, wait=1, visibility=60)
        return raw

    def dead(self) -> list[dict[str, Any]]:
        names = ["All"]
        found = self._sqs.receive_message(
            QueueUrl=self.dead_url,
            MessageAttributeNames=names,
            MessageSystemAttributeNames=names,
            MaxNumberOfMessages=10,
        )
        return list(found.get("Messages", ()))


def _string(text: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": text}


def test_the_copy_has_everything_and_the_reason(stub: Stub, sqs: Any) -> None:
    queues = _Queues(stub, sqs, "dead-copy")
    attributes = {
        "kind": _string("welcome"),
        "size": {"DataType": "Number.int", "StringValue": "7"},
        "picture": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    raw = queues.received(
        MessageBody="text",
        MessageAttributes=attributes,
        MessageSystemAttributes={"AWSTraceHeader": _string(TRACE)},
    )
    assert queues.dead_letters.bury(raw, "no such user")
    (copy,) = queues.dead()
    assert copy["Body"] == "text"
    assert copy["MessageAttributes"] == {**attributes, "Rejected-Reason": _string("no such user")}
    assert copy["Attributes"]["AWSTraceHeader"] == TRACE


def test_the_copy_of_a_fifo_message_keeps_its_group_and_is_there_once(stub: Stub, sqs: Any) -> None:
    queues = _Queues(stub, sqs, "dead-copy.fifo")
    raw = queues.received(MessageBody="text", MessageGroupId="group", MessageDeduplicationId="its-own")
    # Twice, as when the delete after the first copy has failed.
    assert queues.dead_letters.bury(raw, "never")
    assert queues.dead_letters.bury(raw, "never")
    (copy,) = queues.dead()
    assert copy["Attributes"]["MessageGroupId"] == "group"
    assert copy["Attributes"]["MessageDeduplicationId"] == raw["MessageId"]


@pytest.mark.parametrize(
    ("reason", "told"),
    [("x" * 300, "x" * 256), ("a\x00b\ud800", "a?b?"), ("two\nlines", "two\nlines"), ("", None)],
)
def test_any_reason_can_be_sent(stub: Stub, sqs: Any, reason: str, told: str | None) -> None:
    queues = _Queues(stub, sqs, f"dead-reason-{len(reason)}-{len(told or '')}")
    assert queues.dead_letters.bury(queues.received(MessageBody="text"), reason)
    (copy,) = queues.dead()
    found = copy.get("MessageAttributes", {}).get("Rejected-Reason", {}).get("StringValue")
    assert found == told


def test_where_there_is_no_room_for_the_reason_the_copy_has_none(stub: Stub, sqs: Any) -> None:
    queues = _Queues(stub, sqs, "dead-full")
    attributes = {f"name-{number}": _string("x") for number in range(10)}
    assert queues.dead_letters.bury(queues.received(MessageBody="text", MessageAttributes=attributes), "never")
    (copy,) = queues.dead()
    assert copy["MessageAttributes"] == attributes


def test_a_queue_without_dead_letters_says_so(stub: Stub, sqs: Any) -> None:
    dead = DeadLetters(Queue(sqs, stub.make_queue("dead-none")), "main")
    assert dead.policy() is None
    assert dead.bury({"MessageId": "1", "Body": "text"}, "never") is False


def test_the_policy_is_asked_for_once_and_again_after_a_while(
    stub: Stub, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = _Queues(stub, sqs, "dead-policy", 7)
    stub.reset_statistics()
    for _ in range(20):
        assert queues.dead_letters.policy() == Policy(stub.arn(queues.dead_url), 7)
    assert stub.statistics().calls["GetQueueAttributes"] == 1
    later = time.monotonic() + 901
    monkeypatch.setattr(time, "monotonic", lambda: later)
    queues.dead_letters.policy()
    assert stub.statistics().calls["GetQueueAttributes"] == 2


def test_an_unknown_policy_is_complained_of_and_asked_for_again(
    stub: Stub, sqs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    queues = _Queues(stub, sqs, "dead-unknown")
    stub.add_faults(Fault("error", actions=("GetQueueAttributes",)))
    assert queues.dead_letters.policy() is None
    assert queues.dead_letters.policy() is None
    assert [record.getMessage() for record in caplog.records] == ["redrive policy unknown"]
    stub.clear_faults()
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert queues.dead_letters.policy() is not None


def test_a_policy_that_was_known_is_kept_while_it_cannot_be_asked_for(
    stub: Stub, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = _Queues(stub, sqs, "dead-kept")
    known = queues.dead_letters.policy()
    assert known is not None
    stub.add_faults(Fault("error", actions=("GetQueueAttributes",)))
    later = time.monotonic() + 901
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert queues.dead_letters.policy() == known


def test_a_copy_that_cannot_be_sent_is_complained_of(stub: Stub, sqs: Any, caplog: pytest.LogCaptureFixture) -> None:
    queues = _Queues(stub, sqs, "dead-refused")
    raw = queues.received(MessageBody="text")
    stub.add_faults(Fault("throttle", actions=("SendMessage",)))
    assert queues.dead_letters.bury(raw, "never") is False
    assert [record.getMessage() for record in caplog.records] == ["cannot move to the dead-letter queue"]
    stub.clear_faults()
    assert queues.dead_letters.bury(raw, "never") is True

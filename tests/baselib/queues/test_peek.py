"""`baselib queue peek` shows, and leaves everything as it was, but for one receive."""

import json
from typing import Any

import pytest

from baselib.queues import OperatedQueue
from baselib.queues.batches import Raw
from tests.baselib.queues.conftest import Queue
from tests.sqs_stub import ledger
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault


@pytest.fixture
def dead(stub: Stub, name: str) -> str:
    """The name of an empty dead-letter queue."""
    stub.make_queue_with_dead_letters(name)
    return f"{name}-dead"


def test_what_is_shown_is_visible_again_and_was_received_once(stub: Stub, dead: str, queue: Queue) -> None:
    ids = stub.fill(dead, 25)
    ran = queue("peek", dead, "--count", "12", "--json")
    assert ran.code == 0
    assert ran.document["visible"] == 25
    shown = [message["id"] for message in ran.document["messages"]]
    assert len(set(shown)) == len(shown) == 12
    assert set(shown) <= set(ids)
    assert {message["receive_count"] for message in ran.document["messages"]} == {1}
    assert stub.counts(dead) == (25, 0, 0)
    received = [event for event in stub.ledger(dead) if event.what == ledger.RECEIVED]
    assert len({event.message for event in received}) == len(received) == 12
    assert "the receive count of 12 messages rose by one" in ran.errors


def test_no_more_than_there_is(stub: Stub, dead: str, queue: Queue) -> None:
    stub.fill(dead, 3)
    assert len(queue("peek", dead, "--count", "1000", "--json").document["messages"]) == 3


def test_an_empty_queue(stub: Stub, dead: str, queue: Queue) -> None:
    ran = queue("peek", dead)
    assert (ran.code, ran.output, ran.errors) == (0, f"{dead}: 0 visible, 0 in flight, 0 delayed\n", "")


@pytest.mark.parametrize("form", ["name", "url", "arn", "dead letters"])
def test_the_ways_to_name_a_queue(stub: Stub, name: str, dead: str, queue: Queue, form: str) -> None:
    stub.fill(dead, 1)
    arguments = {
        "name": [dead],
        "url": [f"{stub.url}/000000000000/{dead}"],
        "arn": [stub.arn(dead)],
        "dead letters": [name, "--dead-letters"],
    }[form]
    ran = queue("peek", *arguments, "--json")
    assert (ran.code, ran.document["queue"], len(ran.document["messages"])) == (0, dead, 1)


def test_bodies_are_masked_unless_they_are_asked_for(stub: Stub, dead: str, queue: Queue) -> None:
    inner = json.dumps({"order": 7, "password": "s3cret"})
    stub.fill(dead, [json.dumps({"email": "ada@example.org", "Message": inner}), "call Grace"])
    for more in ([], ["--json"]):
        told = queue("peek", dead, *more).output
        assert "order" in told
        for hidden in ("ada@example.org", "s3cret", "Grace"):
            assert hidden not in told
    told = queue("peek", dead, "--show-bodies").output
    for shown in ("ada@example.org", "s3cret", "call Grace"):
        assert shown in told


def test_what_a_message_says_cannot_write_to_the_terminal(stub: Stub, dead: str, sqs: Any, queue: Queue) -> None:
    sqs.send_message(
        QueueUrl=f"{stub.url}/000000000000/{dead}",
        MessageBody=json.dumps({"text": "\x1b[2J"}, ensure_ascii=False) + "\n\x9b2J\u202e",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "a\nb\x1b[31m"}},
    )
    told = queue("peek", dead, "--show-bodies").output
    assert all(character.isprintable() or character == "\n" for character in told)
    assert r"kind=a\nb\x1b[31m" in told


def test_attributes_and_request_id(stub: Stub, dead: str, sqs: Any, queue: Queue) -> None:
    sqs.send_message(
        QueueUrl=f"{stub.url}/000000000000/{dead}",
        MessageBody="{}",
        MessageAttributes={
            "X-Request-Id": {"DataType": "String", "StringValue": "req-1"},
            "token": {"DataType": "String", "StringValue": "s3cret"},
            "picture": {"DataType": "Binary", "BinaryValue": b"\x00"},
        },
    )
    [message] = queue("peek", dead, "--json").document["messages"]
    assert message["request_id"] == "req-1"
    assert message["attributes"] == {"token": "***", "picture": "<binary>"}


def test_a_queue_whose_messages_it_would_bring_nearer_to_the_dead_letters_needs_a_yes(
    stub: Stub, name: str, dead: str, queue: Queue
) -> None:
    stub.fill(name, 2)
    refused = queue("peek", name)
    assert refused.code == 2
    assert "after 3 receives" in refused.errors
    assert "--yes" in refused.errors
    assert not [event for event in stub.ledger(name) if event.what == ledger.RECEIVED]
    assert queue("peek", name, "--yes").code == 0
    assert stub.counts(name) == (2, 0, 0)
    assert stub.counts(dead).visible == 0


def test_an_error_in_the_middle_gives_back_what_was_received(
    stub: Stub, dead: str, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.fill(dead, 30)
    receive = OperatedQueue.receive

    def failing(self: OperatedQueue, most: int, visibility_seconds: int) -> list[Raw]:
        received = receive(self, most, visibility_seconds)
        stub.set_faults(Fault("error", actions=("ReceiveMessage",), status=403, code="AccessDeniedException"))
        return received

    monkeypatch.setattr(OperatedQueue, "receive", failing)
    ran = queue("peek", dead, "--count", "20")
    assert (ran.code, ran.output) == (1, "")
    assert "these credentials need sqs:ReceiveMessage" in ran.errors
    assert stub.counts(dead) == (30, 0, 0)


def test_what_cannot_be_given_back_is_told(stub: Stub, dead: str, queue: Queue) -> None:
    stub.fill(dead, 3)
    fault = Fault("error", actions=("ChangeMessageVisibilityBatch",), status=400, code="AccessDeniedException")
    stub.set_faults(fault)
    ran = queue("peek", dead)
    assert ran.code == 1
    assert "3 messages could not be given back, and can be received again in 30 s" in ran.errors
    assert stub.counts(dead).in_flight == 3


def test_entries_that_fail_are_given_back_again(stub: Stub, dead: str, queue: Queue) -> None:
    stub.fill(dead, 10)
    stub.set_faults(Fault("fail_entries", actions=("ChangeMessageVisibilityBatch",), count=7))
    assert queue("peek", dead).code == 0
    assert stub.counts(dead) == (10, 0, 0)


def test_a_fifo_queue_shows_the_first_messages_and_lets_the_group_go_on(stub: Stub, name: str, queue: Queue) -> None:
    stub.make_queue(f"{name}.fifo")
    stub.fill(f"{name}.fifo", 15, groups=["a"])
    ran = queue("peek", f"{name}.fifo", "--count", "15", "--json")
    assert [message["group"] for message in ran.document["messages"]] == ["a"] * len(ran.document["messages"])
    assert stub.counts(f"{name}.fifo") == (15, 0, 0)
    assert "of each message group only the first messages" in ran.errors

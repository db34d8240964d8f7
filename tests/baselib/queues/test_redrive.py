"""`baselib queue redrive` loses nothing, whoever moves the messages and whatever fails."""

from typing import Any

import pytest

from baselib.queues import OperatedQueue, copies
from baselib.queues.batches import Entry
from tests.baselib.queues.conftest import Queue
from tests.sqs_stub import ledger
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault

NO_TASKS = Fault("error", actions=("ListMessageMoveTasks",), status=403, code="AccessDeniedException")


@pytest.fixture
def dead(stub: Stub, name: str) -> str:
    """The name of the empty dead-letter queue of the queue `name`."""
    stub.make_queue_with_dead_letters(name)
    return f"{name}-dead"


@pytest.fixture
def batches(stub: Stub) -> None:
    """The credentials may not let SQS move the messages."""
    stub.set_faults(NO_TASKS)


def test_sqs_moves_everything_by_itself(stub: Stub, name: str, dead: str, queue: Queue) -> None:
    stub.fill(dead, 60)
    ran = queue("redrive", dead, "--yes", "--json")
    assert ran.code == 0
    assert (ran.document["method"], ran.document["moved"], ran.document["left"]) == ("task", 60, 0)
    assert sorted(stub.bodies(name), key=int) == [str(number) for number in range(60)]
    # Nothing was received from here.
    assert "ReceiveMessage" not in stub.statistics().queues[dead].calls


def test_the_rate_is_handed_to_sqs(stub: Stub, dead: str, sqs: Any, queue: Queue) -> None:
    stub.fill(dead, 5)
    assert queue("redrive", dead, "--yes", "--rate", "50").code == 0
    [task] = sqs.list_message_move_tasks(SourceArn=stub.arn(dead))["Results"]
    assert task["MaxNumberOfMessagesPerSecond"] == 50


def test_a_second_redrive_waits_for_its_own_task(stub: Stub, name: str, dead: str, queue: Queue) -> None:
    for moved in (30, 20):
        stub.fill(dead, moved)
        assert queue("redrive", dead, "--yes", "--json").document["moved"] == moved
    assert stub.counts(name).visible == 50


def test_a_task_under_way_is_not_joined_by_another(stub: Stub, dead: str, sqs: Any, queue: Queue) -> None:
    stub.fill(dead, 100)
    handle = sqs.start_message_move_task(SourceArn=stub.arn(dead), MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    ran = queue("redrive", dead, "--yes")
    sqs.cancel_message_move_task(TaskHandle=handle)
    assert ran.code == 1
    assert "are being moved already: " in ran.errors


@pytest.mark.usefixtures("batches")
def test_two_thousand_messages_in_batches(stub: Stub, name: str, dead: str, queue: Queue) -> None:
    stub.fill(dead, 2_000)
    ran = queue("redrive", dead, "--yes", "--json")
    assert ran.code == 0, ran.errors
    assert (ran.document["method"], ran.document["moved"], ran.document["left"]) == ("batches", 2_000, 0)
    assert sorted(stub.bodies(name), key=int) == [str(number) for number in range(2_000)]
    assert "not allowed: these credentials need sqs:ListMessageMoveTasks" in ran.errors


@pytest.mark.usefixtures("batches")
def test_partial_failures_and_throttling_lose_nothing_and_double_nothing(
    stub: Stub, name: str, dead: str, queue: Queue
) -> None:
    stub.fill(dead, 80)
    stub.add_faults(
        Fault("fail_entries", 0.2, ("SendMessageBatch", "DeleteMessageBatch")), Fault("throttle", 0.1, count=4), seed=11
    )
    ran = queue("redrive", dead, "--yes", "--json")
    stub.clear_faults()
    assert ran.document["moved"] == 80, ran
    assert sorted(stub.bodies(name), key=int) == [str(number) for number in range(80)]
    assert stub.counts(dead) == (0, 0, 0)


@pytest.mark.usefixtures("batches")
def test_what_cannot_be_sent_stays_and_is_named(stub: Stub, name: str, dead: str, queue: Queue) -> None:
    ids = stub.fill(dead, 5)
    # All of the ten entries of each round.
    stub.add_faults(Fault("fail_entries", actions=("SendMessageBatch",)))
    ran = queue("redrive", dead, "--yes", "--json")
    assert (ran.code, ran.document["moved"]) == (1, 0)
    assert set(ran.document["failed"]) == set(ids)
    assert stub.counts(dead) == (5, 0, 0)
    assert stub.counts(name) == (0, 0, 0)
    assert f"{ids[0]} stayed in {dead}: InternalError" in ran.errors


@pytest.mark.usefixtures("batches")
def test_what_was_sent_and_cannot_be_deleted_is_named_as_there_twice(
    stub: Stub, name: str, dead: str, queue: Queue
) -> None:
    ids = stub.fill(dead, 4)
    stub.add_faults(Fault("fail_entries", actions=("DeleteMessageBatch",)))
    ran = queue("redrive", dead, "--yes", "--json")
    assert (ran.code, ran.document["moved"], set(ran.document["in_both"])) == (1, 4, set(ids))
    assert sorted(stub.bodies(name)) == sorted(stub.bodies(dead)) == ["0", "1", "2", "3"]


@pytest.mark.usefixtures("batches")
def test_a_send_that_is_refused_deletes_nothing(stub: Stub, name: str, dead: str, queue: Queue) -> None:
    stub.fill(dead, 15)
    stub.add_faults(Fault("error", actions=("SendMessageBatch",), status=403, code="AccessDeniedException"))
    ran = queue("redrive", dead, "--yes", "--json")
    assert (ran.code, ran.document["moved"], ran.document["maybe_in_both"]) == (1, 0, 0)
    assert "these credentials need sqs:SendMessageBatch" in ran.errors
    assert stub.counts(dead) == (15, 0, 0)
    assert stub.counts(name) == (0, 0, 0)


@pytest.mark.usefixtures("batches")
def test_an_answer_that_never_came_is_told_as_a_doubt(stub: Stub, name: str, dead: str, queue: Queue) -> None:
    stub.fill(dead, 3)
    stub.add_faults(Fault("lose_answer", actions=("SendMessageBatch",)))
    ran = queue("redrive", dead, "--yes", "--json")
    assert (ran.code, ran.document["moved"], ran.document["maybe_in_both"]) == (1, 0, 3)
    assert set(stub.bodies(dead)) == set(stub.bodies(name)) == {"0", "1", "2"}
    assert stub.counts(dead) == (3, 0, 0)


@pytest.mark.usefixtures("batches")
def test_messages_that_come_back_at_once_are_not_moved_for_ever(
    stub: Stub, name: str, dead: str, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.fill(dead, 30)
    delete = OperatedQueue.delete

    def returning(self: OperatedQueue, entries: list[Entry]) -> Any:
        # What was sent fails at once and is there again.
        stub.fill(dead, len(entries))
        return delete(self, entries)

    monkeypatch.setattr(OperatedQueue, "delete", returning)
    ran = queue("redrive", dead, "--yes", "--json")
    assert (ran.code, ran.document["moved"], ran.document["left"]) == (0, 30, 30)
    assert stub.counts(name).visible == 30


@pytest.mark.usefixtures("batches")
def test_a_copy_has_everything_the_message_had(stub: Stub, name: str, dead: str, sqs: Any, queue: Queue) -> None:
    attributes = {
        "kind": {"DataType": "String.name", "StringValue": "order"},
        "picture": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        "count": {"DataType": "Number", "StringValue": "7"},
    }
    trace = {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}
    sqs.send_message(
        QueueUrl=f"{stub.url}/000000000000/{dead}",
        MessageBody="body é",
        MessageGroupId="tenant",
        MessageAttributes=attributes,
        MessageSystemAttributes={"AWSTraceHeader": trace},
    )
    assert queue("redrive", dead, "--yes").code == 0
    [message] = sqs.receive_message(
        QueueUrl=f"{stub.url}/000000000000/{name}", MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert (message["Body"], message["MessageAttributes"]) == ("body é", attributes)
    assert message["Attributes"]["AWSTraceHeader"] == trace["StringValue"]
    assert message["Attributes"]["MessageGroupId"] == "tenant"


@pytest.mark.usefixtures("batches")
def test_ten_messages_too_large_for_one_call_go_in_several(stub: Stub, name: str, dead: str, queue: Queue) -> None:
    bodies = [str(number) * 200_000 for number in range(9)]
    stub.fill(dead, bodies)
    assert queue("redrive", dead, "--yes", "--json").document["moved"] == 9
    assert sorted(stub.bodies(name)) == bodies


def test_only_those_with_a_text(stub: Stub, name: str, dead: str, sqs: Any, queue: Queue) -> None:
    stub.fill(dead, [f"{kind} {number}" for number in range(20) for kind in ("order", "refund")])
    sqs.send_message(
        QueueUrl=f"{stub.url}/000000000000/{dead}",
        MessageBody="else",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "a refund"}},
    )
    rehearsed = queue("redrive", dead, "--match", "refund", "--dry-run", "--json")
    assert (rehearsed.code, rehearsed.document["would_move"]) == (0, 21)
    assert stub.counts(dead) == (41, 0, 0)
    ran = queue("redrive", dead, "--match", "refund", "--yes", "--json")
    assert (ran.code, ran.document["moved"], ran.document["looked_at"]) == (0, 21, 41)
    assert stub.counts(dead) == (20, 0, 0)
    assert {body.split()[0] for body in stub.bodies(dead)} == {"order"}


def test_only_those_with_an_id_and_one_that_is_not_there(stub: Stub, name: str, dead: str, queue: Queue) -> None:
    ids = stub.fill(dead, 25)
    ran = queue("redrive", dead, "--id", ids[3], "--id", ids[20], "--id", "nobody", "--yes", "--json")
    assert (ran.code, ran.document["moved"], ran.document["missing"]) == (1, 2, ["nobody"])
    assert f"nobody was not found in {dead}" in ran.errors
    assert sorted(stub.bodies(name)) == ["20", "3"]
    assert stub.counts(dead) == (23, 0, 0)


def test_a_dry_run_moves_and_receives_nothing(stub: Stub, dead: str, queue: Queue) -> None:
    stub.fill(dead, 7)
    ran = queue("redrive", dead, "--dry-run")
    assert ran.code == 0
    assert "would move 7 messages; nothing was moved" in ran.output
    assert "ReceiveMessage" not in stub.statistics().queues[dead].calls


def test_nobody_to_ask(stub: Stub, name: str, dead: str, queue: Queue) -> None:
    stub.fill(dead, 7)
    ran = queue("redrive", dead, "--rate", "5")
    assert (ran.code, ran.output) == (2, "")
    for told in (f"from   {dead}: 7 visible", f"to     {name}: 0 visible", "at most 5 a second", "--yes"):
        assert told in ran.errors
    assert stub.counts(dead) == (7, 0, 0)


def test_the_dead_letters_of_a_queue_go_back_to_it_though_others_have_the_same(
    stub: Stub, name: str, dead: str, queue: Queue
) -> None:
    stub.make_queue(f"{name}-2", RedrivePolicy={"deadLetterTargetArn": stub.arn(dead), "maxReceiveCount": 3})
    stub.fill(dead, 2)
    refused = queue("redrive", dead, "--yes")
    assert refused.code == 2
    assert f"name one with --to ({name}, {name}-2)" in refused.errors
    assert queue("redrive", f"{name}-2", "--dead-letters", "--yes").code == 0
    assert stub.counts(f"{name}-2").visible == 2


@pytest.mark.parametrize("to", ["none", "itself", "fifo", "missing"])
def test_targets_that_are_refused(stub: Stub, name: str, dead: str, queue: Queue, to: str) -> None:
    stub.fill(dead, 1)
    stub.make_queue(f"{name}.fifo")
    arguments = {"none": [name], "itself": [dead, "--to", dead], "fifo": [dead, "--to", f"{name}.fifo"]}
    ran = queue("redrive", *arguments.get(to, [dead, "--to", "nowhere"]), "--yes")
    assert ran.code == (1 if to == "missing" else 2)
    assert len(ran.errors.splitlines()) == 1
    assert stub.counts(dead) == (1, 0, 0)


@pytest.fixture
def fifo(stub: Stub, name: str) -> str:
    """The name of a FIFO queue whose dead-letter queue is empty."""
    stub.make_queue_with_dead_letters(f"{name}.fifo")
    return name


@pytest.mark.usefixtures("batches")
def test_the_order_of_each_group_is_kept(stub: Stub, fifo: str, queue: Queue) -> None:
    stub.fill(f"{fifo}-dead.fifo", 60, groups=["a", "b", "c"])
    stub.add_faults(Fault("fail_entries", 0.2, ("SendMessageBatch",)), seed=3)
    ran = queue("redrive", f"{fifo}-dead.fifo", "--yes", "--json")
    assert (ran.code, ran.document["moved"]) == (0, 60), ran
    numbers = [int(body) for body in stub.bodies(f"{fifo}.fifo")]
    for group in range(3):
        assert [number for number in numbers if number % 3 == group] == list(range(group, 60, 3))


@pytest.mark.usefixtures("batches")
def test_a_copy_that_sqs_would_throw_away_as_a_duplicate_gets_the_message_id(
    stub: Stub, fifo: str, sqs: Any, queue: Queue
) -> None:
    for place in (f"{fifo}.fifo", f"{fifo}-dead.fifo"):
        sqs.send_message(
            QueueUrl=f"{stub.url}/000000000000/{place}",
            MessageBody="{}",
            MessageGroupId="a",
            MessageDeduplicationId="d",
        )
    assert queue("redrive", f"{fifo}-dead.fifo", "--yes").code == 0
    assert stub.counts(f"{fifo}.fifo").visible == 2


def test_the_deduplication_id_is_kept_where_nothing_can_be_thrown_away() -> None:
    raw = {
        "MessageId": "m",
        "Body": "{}",
        "Attributes": {"SentTimestamp": "1000", "MessageDeduplicationId": "d", "MessageGroupId": "a"},
    }
    assert copies.copy_of(raw, fifo=True)["MessageDeduplicationId"] == "d"
    of_body = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    raw["Attributes"]["MessageDeduplicationId"] = of_body  # type: ignore[index]
    assert copies.copy_of(raw, fifo=True)["MessageDeduplicationId"] == "m"
    assert "MessageDeduplicationId" not in copies.copy_of(raw, fifo=False)


@pytest.mark.usefixtures("batches")
def test_a_group_stops_at_what_cannot_be_sent(stub: Stub, fifo: str, queue: Queue) -> None:
    stub.fill(f"{fifo}-dead.fifo", 3, groups=["a"])
    stub.add_faults(Fault("fail_entries", actions=("SendMessageBatch",), count=6))
    ran = queue("redrive", f"{fifo}-dead.fifo", "--yes", "--json")
    assert (ran.code, ran.document["moved"], len(ran.document["failed"])) == (1, 0, 3)
    assert stub.bodies(f"{fifo}-dead.fifo") == ["0", "1", "2"]


def test_a_selection_in_a_fifo_queue_says_what_it_could_not_look_at(stub: Stub, fifo: str, queue: Queue) -> None:
    stub.fill(f"{fifo}-dead.fifo", 25, groups=["a"])
    ran = queue("redrive", f"{fifo}-dead.fifo", "--match", "24", "--yes", "--json")
    assert ran.code == 1
    assert "could be looked at; of each message group only the first" in ran.errors
    assert stub.counts(f"{fifo}-dead.fifo") == (25, 0, 0)


@pytest.mark.usefixtures("batches")
def test_each_message_is_deleted_only_after_it_was_sent(stub: Stub, name: str, dead: str, queue: Queue) -> None:
    stub.fill(dead, 40)
    assert queue("redrive", dead, "--yes").code == 0
    sent, deleted = 0, 0
    for event in stub.ledger():
        sent += event.queue == name and event.what == ledger.SENT
        deleted += event.queue == dead and event.what == ledger.DELETED
        assert deleted <= sent
    assert (sent, deleted) == (40, 40)

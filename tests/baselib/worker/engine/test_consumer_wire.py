"""The engine with boto3 against a stub of SQS: what happens to each message, by the stub's ledger."""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from baselib.worker.engine.consumer import Consumer
from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import DONE, Outcome, Verdict
from baselib.worker.engine.pool import Pool
from baselib.worker.engine.queue import Queue
from tests.baselib.processes import PATIENCE_SECONDS, until
from tests.baselib.worker.engine.fake_queue import REJECTED, retried, working
from tests.sqs_stub import ledger as events
from tests.sqs_stub.client import Stub, by_message
from tests.sqs_stub.fault import Fault


class _Handled:
    """A handler that keeps the bodies it was given."""

    def __init__(self, act: Callable[[str], Verdict] = lambda _: DONE) -> None:
        self._act = act
        self.bodies: list[str] = []

    def __call__(self, leases: Sequence[Lease]) -> list[Verdict]:
        bodies = [lease.raw["Body"] for lease in leases]
        self.bodies += bodies
        return [self._act(body) for body in bodies]


@contextlib.contextmanager
def _consuming(
    stub: Stub, url: str, handle: Callable[[Sequence[Lease]], list[Verdict]], **more: Any
) -> Iterator[Consumer]:
    client = stub.client(seconds=10.0)
    pool = Pool(more.pop("threads", 4))
    consumer = Consumer(Queue(client, url), "main", handle, pool, **{"visibility": 60, "wait": 1, **more})
    with contextlib.closing(client), working(pool):
        consumer.start()
        try:
            yield consumer
        finally:
            if not consumer._receiver.stopping:
                consumer.drain(PATIENCE_SECONDS)


def _empty(stub: Stub, url: str) -> Callable[[], bool]:
    return lambda: sum(stub.counts(url)) == 0


def _happened(stub: Stub, queue: str, what: str) -> Counter[str]:
    return Counter(event.message for event in stub.ledger(queue) if event.what == what)


def test_a_thousand_messages_take_few_calls_and_are_handled_once(stub: Stub) -> None:
    url = stub.make_queue("wire-once")
    stub.fill(url, 1000)
    handled = _Handled()
    with _consuming(stub, url, handled):
        until(_empty(stub, url), "everything is deleted")
    assert Counter(handled.bodies) == Counter(map(str, range(1000)))
    for name in (events.RECEIVED, events.DELETED):
        assert set(_happened(stub, "wire-once", name).values()) == {1}
    calls = stub.statistics().queues["wire-once"].calls
    # Batches that are full would be 200; a busy machine fills some of them badly.
    assert calls["ReceiveMessage"] + calls["DeleteMessageBatch"] < 500


def test_faults_of_all_kinds_lose_nothing_and_repeat_nothing(stub: Stub) -> None:
    url = stub.make_queue("wire-faults")
    stub.fill(url, 300)
    stub.add_faults(
        Fault("throttle", 0.1),
        Fault("error", 0.1),
        Fault("reset", 0.05),
        Fault("fail_entries", 0.2),
        Fault("lose_answer", 0.05, actions=("DeleteMessageBatch",)),
        seed=7,
    )
    handled = _Handled()
    with _consuming(stub, url, handled):
        until(_empty(stub, url), "everything is deleted")
        stub.clear_faults()
    assert Counter(handled.bodies) == Counter(map(str, range(300)))


def test_a_message_that_takes_longer_than_its_time_out_is_received_once(stub: Stub) -> None:
    url = stub.make_queue("wire-slow")
    stub.fill(url, 3)
    released = threading.Event()

    def slow(_: str) -> Verdict:
        assert released.wait(PATIENCE_SECONDS)
        return DONE

    handled = _Handled(slow)
    with _consuming(stub, url, handled, visibility=2, threads=3):
        until(lambda: sorted(_happened(stub, "wire-slow", events.CHANGED).values())[-3:] >= [2, 2, 2], "it is extended")
        released.set()
        until(_empty(stub, url), "everything is deleted")
    assert sorted(handled.bodies) == ["0", "1", "2"]


def test_a_lease_that_somebody_else_has_ended_is_lost(stub: Stub) -> None:
    url = stub.make_queue("wire-lost")
    stub.fill(url, 1)
    lost, held = threading.Event(), threading.Event()

    def handle(leases: Sequence[Lease]) -> list[Verdict]:
        held.set()
        until(lambda: leases[0].lost, "it is noticed")
        lost.set()
        return [DONE]

    with _consuming(stub, url, handle, visibility=2, threads=1) as consumer:
        assert held.wait(PATIENCE_SECONDS)
        # Somebody deletes it: SQS refuses the next extension.
        (lease,) = consumer._in_work
        client = stub.client()
        client.delete_message(QueueUrl=url, ReceiptHandle=lease.receipt)
        client.close()
        assert lost.wait(PATIENCE_SECONDS)


def test_messages_that_fail_end_in_the_dead_letter_queue(stub: Stub) -> None:
    url, dead = stub.make_queue_with_dead_letters("wire-dead", 2)
    stub.fill(url, ["good", "bad", "rejected"])
    verdicts = {"good": DONE, "bad": retried(0.0), "rejected": REJECTED}
    handled = _Handled(verdicts.__getitem__)
    with _consuming(stub, url, handled):
        until(lambda: sorted(stub.bodies(dead)) == ["bad", "rejected"] and _empty(stub, url)(), "both are there")
    assert Counter(handled.bodies) == {"good": 1, "bad": 2, "rejected": 1}
    assert stub.statistics().calls["GetQueueAttributes"] == 1


def test_a_fifo_queue_is_handled_in_order_although_messages_fail(stub: Stub) -> None:
    url = stub.make_queue("wire-order.fifo")
    stub.fill(url, 60, groups=("a", "b", "c"))
    failures = Counter({"9": 2, "30": 1, "31": 1})
    done: list[str] = []
    lock = threading.Lock()

    def act(body: str) -> Verdict:
        with lock:
            if failures[body] > 0:
                failures[body] -= 1
                return Verdict(Outcome.RETRIED, 0.0)
            done.append(body)
            return DONE

    with _consuming(stub, url, _Handled(act)):
        until(_empty(stub, url), "everything is deleted")
    assert len(done) == 60
    for first in range(3):
        numbers = [int(body) for body in done if int(body) % 3 == first]
        assert numbers == sorted(numbers)


def test_of_a_fifo_queue_a_lost_answer_blocks_nobody(stub: Stub) -> None:
    url = stub.make_queue("wire-lost-answer.fifo")
    stub.fill(url, 30, groups=("a", "b"))
    stub.add_faults(Fault("lose_answer", actions=("ReceiveMessage",), count=2))
    handled = _Handled()
    # With another attempt id, the groups would be blocked for the ten minutes of the time-out.
    with _consuming(stub, url, handled, visibility=600):
        until(_empty(stub, url), "everything is deleted")
    assert Counter(handled.bodies) == Counter(map(str, range(30)))


@pytest.mark.parametrize("fault", [Fault("throttle"), Fault("reset"), Fault("error", status=503)])
def test_an_outage_costs_few_calls_and_its_end_is_noticed(stub: Stub, fault: Fault) -> None:
    name = f"wire-outage-{fault.kind}"
    url = stub.make_queue(name)
    stub.add_faults(fault)
    handled = _Handled()
    with _consuming(stub, url, handled) as consumer:
        until(lambda: stub.statistics().calls.get("ReceiveMessage", 0) >= 3, "it has failed")
        assert consumer.alive
        stub.clear_faults()
        stub.fill(url, 20)
        until(_empty(stub, url), "everything is deleted")
    assert len(handled.bodies) == 20


def test_a_drain_leaves_nothing_invisible(stub: Stub) -> None:
    url = stub.make_queue("wire-drain")
    stub.fill(url, 200)
    started = threading.Event()

    def act(_: str) -> Verdict:
        started.set()
        threading.Event().wait(0.005)
        return DONE

    handled = _Handled(act)
    with _consuming(stub, url, handled) as consumer:
        assert started.wait(PATIENCE_SECONDS)
        until(lambda: len(handled.bodies) > 40, "many are handled")
        drained = consumer.drain(PATIENCE_SECONDS)
    counts = stub.counts(url)
    assert (counts.in_flight, counts.delayed, drained.undeleted) == (0, 0, 0)
    assert counts.visible == 200 - len(handled.bodies)
    assert max(Counter(handled.bodies).values()) == 1
    for happened in by_message(stub.ledger("wire-drain")).values():
        assert [event.what for event in happened].count(events.DELETED) <= 1

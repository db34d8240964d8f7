"""The engine against a queue in memory that fails when it is told to."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from baselib.worker.engine.consumer import Consumer
from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import DONE, Outcome, Verdict
from baselib.worker.engine.pool import Pool
from tests.baselib.processes import PATIENCE_SECONDS, until
from tests.baselib.worker.engine.fake_queue import (
    REJECTED,
    RETRIED,
    FakeQueue,
    Faults,
    Gate,
    Work,
    consuming,
    names,
    retried,
    some,
    working,
)


def test_every_message_is_handled_and_deleted_once() -> None:
    source = FakeQueue(names=names(3000))
    work = Work(source)
    with consuming(source, work) as consumer:
        until(lambda: not source.stored, "everything is deleted")
        drained = consumer.drain(PATIENCE_SECONDS)
    assert (drained.given_back, drained.undeleted) == (0, 0)
    assert work.begun == source.deleted == Counter(names(3000))
    assert source.deleted_without_work == []
    # Batches of ten are what makes it cheap; one by one would be 3,000 calls.
    assert source.receives < 600
    assert len(source.batches["delete"]) < 900


@pytest.mark.usefixtures("quick")
def test_what_was_not_deleted_is_deleted_again_and_not_handled_again() -> None:
    source = FakeQueue(names=names(300), faults=Faults(delete_entry=some(0.2, 1), delete=some(0.2, 2)))
    work = Work(source)
    with consuming(source, work):
        until(lambda: not source.stored, "everything is deleted")
    assert work.begun == source.deleted == Counter(names(300))


def test_whatever_is_held_is_extended_running_waiting_and_waiting_for_its_delete() -> None:
    source = FakeQueue(names=names(2), faults=Faults(delete=lambda: "message-1" in source.stored and deleting.is_set()))
    deleting = threading.Event()
    deleting.set()
    gate = Gate()
    work = Work(source, lambda name: DONE if name == "message-1" else gate(name))
    # Room for more than is worked on, of which some then wait.
    with consuming(source, work, threads=2, visibility=1, pace=0.01):
        until(lambda: "message-1" in source.finished, "one waits for its delete and one runs")
        source.put(*(f"more-{number}" for number in range(10)))
        until(lambda: source.held() == 12 and len(work.begun) < 12, "some wait")
        ends = time.monotonic() + 2.2
        until(lambda: time.monotonic() > ends, "the time-out is long over")
        assert source.visible() == set()
        assert max(source.batches["change"]) == 10
        deleting.clear()
        gate.open()
        until(lambda: not source.stored, "everything is deleted")
    assert set(work.begun.values()) == {1}


@pytest.mark.parametrize(("delay", "seconds"), [(0, 0), (7, 7), (-3, 0), (600.4, 600)])
def test_a_message_comes_again_when_its_handler_said_so(delay: float, seconds: int) -> None:
    source = FakeQueue(names=["one"])
    outcomes = iter([retried(delay)])
    with consuming(source, Work(source, lambda _: next(outcomes, DONE)), threads=1):
        until(lambda: source.changes, "it was put off")
    assert source.changes[0] == ("one", seconds)


def test_a_message_that_failed_is_put_off_in_batches_by_a_back_off() -> None:
    source = FakeQueue(names=names(200))
    for each in source.stored.values():
        each.received = 2
    with consuming(source, Work(source, lambda _: RETRIED)):
        until(lambda: len(source.changes) == 200, "everything was put off")
    delays = [seconds for _, seconds in source.changes]
    assert 10 <= min(delays) < max(delays) <= 20
    assert len(source.batches["change"]) < 60
    assert not source.deleted


def test_a_message_put_off_is_handled_again_and_then_deleted() -> None:
    source = FakeQueue(names=["one"])
    outcomes = iter([retried(0.0), retried(0.0)])
    work = Work(source, lambda _: next(outcomes, DONE))
    with consuming(source, work):
        until(lambda: source.deleted["one"], "it is deleted")
    assert work.begun["one"] == 3


def test_a_message_put_off_is_not_extended_any_more() -> None:
    source = FakeQueue(names=["one", "two"])
    gate = Gate()
    work = Work(source, lambda name: retried(600.0) if name == "one" else gate(name))
    with consuming(source, work, visibility=1):
        until(lambda: Counter(name for name, _ in source.changes)["two"] > 3, "the other is extended again and again")
        gate.open()
    assert [seconds for name, seconds in source.changes if name == "one"] == [600]


def test_a_rejected_message_goes_to_the_dead_letters_and_is_then_deleted(
    caplog: pytest.LogCaptureFixture, captured_metrics: list[str]
) -> None:
    source = FakeQueue(names=["bad", "good"], receives_allowed=5)
    with consuming(source, Work(source, lambda name: REJECTED if name == "bad" else DONE)):
        until(lambda: not source.stored, "both are deleted")
    assert source.buried == ["bad"]
    # The fake counts a burial as work, so a delete before it would be seen here.
    assert source.deleted_without_work == []
    (record,) = [record for record in caplog.records if record.getMessage() == "to the dead-letter queue"]
    told = record.__dict__
    assert (told["message_id"], told["cause"], told["reason"], told["receive_count"]) == ("bad", "rejected", "never", 1)
    assert [line for line in captured_metrics if "messages.dead" in line] == [
        "test.messages.dead:1|c|#queue:main,cause:rejected"
    ]


def test_what_a_rejected_message_points_to_is_kept_for_its_copy() -> None:
    source = FakeQueue(names=["bad"], receives_allowed=5)
    removed: list[str] = []
    work = Work(source, lambda _: REJECTED)

    def handle(leases: Sequence[Lease]) -> list[Verdict]:
        leases[0].on_deleted = lambda: removed.append("object")
        return work(leases)

    with consuming(source, handle):
        until(lambda: not source.stored, "it is moved")
    assert source.buried == ["bad"]
    assert removed == []


@pytest.mark.parametrize("faulty", [False, True])
def test_a_rejected_message_stays_where_it_cannot_be_copied(faulty: bool) -> None:
    faults = Faults(bury=lambda: True) if faulty else Faults()
    source = FakeQueue(names=["bad"], receives_allowed=5 if faulty else None, faults=faults)
    with consuming(source, Work(source, lambda _: REJECTED)):
        until(lambda: source.changes, "it was put off")
    assert set(source.stored) == {"bad"}
    assert source.changes[0][1] > 0


def test_after_its_last_receive_a_message_is_told_of_and_left_to_sqs_at_once(
    caplog: pytest.LogCaptureFixture, captured_metrics: list[str]
) -> None:
    source = FakeQueue(names=["last", "first"], receives_allowed=3)
    source.stored["last"].received = 2
    verdict = Verdict(Outcome.RETRIED, 600.0, "ValueError")
    done = iter([verdict, verdict])
    with consuming(source, Work(source, lambda _: next(done, DONE))):
        until(lambda: len(source.changes) == 2, "both were put off")
    assert dict(source.changes) == {"last": 0, "first": 600}
    told = [record.__dict__ for record in caplog.records if record.getMessage() == "to the dead-letter queue"]
    assert [(each["message_id"], each["cause"], each["reason"], each["receive_count"]) for each in told] == [
        ("last", "receives", "ValueError", 3)
    ]
    assert "test.messages.dead:1|c|#queue:main,cause:receives" in captured_metrics


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_delay_that_is_no_number_ends_no_thread() -> None:
    source = FakeQueue(names=["odd", "other"])
    done = iter([retried("5")])
    pool = Pool(1)
    consumer = Consumer(source, "main", Work(source, lambda _: next(done, DONE)), pool, wait=0)
    before = set(threading.enumerate())
    pool.start()
    (thread,) = set(threading.enumerate()) - before
    consumer.start()
    try:
        until(lambda: source.deleted["other"] or not thread.is_alive(), "the other is handled")
        assert thread.is_alive()
    finally:
        consumer.drain(1.0)
        pool.close()


@pytest.mark.usefixtures("quick")
def test_an_outage_while_everything_is_in_use_leaves_every_place_free_again() -> None:
    # More failing calls than there are places: a place that was not freed would end the loop.
    source = FakeQueue(names=names(100), faults=Faults(receive=some(0.7, 3), delete=some(0.3, 4)))
    with consuming(source, Work(source), threads=1) as consumer:
        until(lambda: not source.stored, "everything is deleted")
        assert consumer.alive
    assert consumer._room._taken == 0
    assert source.receives > 20


def test_no_more_is_held_than_can_be_handled_soon() -> None:
    most = [0]
    source = FakeQueue(names=names(400))

    def look(_: str) -> Verdict:
        most[0] = max(most[0], source.held() - len(source.finished & set(source.stored)))
        return DONE

    with consuming(source, Work(source, look), threads=3):
        until(lambda: not source.stored, "everything is deleted")
    assert most[0] <= 3 + 20


@pytest.mark.parametrize(("threads", "batch"), [(2, 1), (2, 25)])
def test_of_long_work_nothing_is_held_ahead(threads: int, batch: int) -> None:
    source = FakeQueue(names=names(100))
    gate = Gate()
    with consuming(source, Work(source, gate), threads=threads, batch=batch) as consumer:
        until(lambda: source.held() == threads * batch, "every place is taken")
        turned = consumer._receiver._turned
        until(lambda: consumer._receiver._turned > turned, "it turns although there is no place")
        assert source.held() == threads * batch
        assert consumer.alive
        gate.open()


def test_when_nothing_can_be_deleted_no_more_than_500_are_held() -> None:
    broken = threading.Event()
    broken.set()
    source = FakeQueue(names=names(900), faults=Faults(delete=broken.is_set))
    work = Work(source)
    with consuming(source, work, threads=2) as consumer:
        until(lambda: source.held() >= 500, "many are done and not deleted")
        turned = consumer._receiver._turned
        until(lambda: consumer._receiver._turned > turned + 0.1, "it turns, and receives no more")
        assert source.held() <= 500 + 2 + 20 + 20
        broken.clear()
        until(lambda: not source.stored, "everything is deleted")
    assert set(work.begun.values()) == {1}


def test_a_slow_message_among_fast_ones_does_not_hold_the_others_up() -> None:
    source = FakeQueue(names=names(200))
    gate = Gate()
    work = Work(source, lambda name: gate(name) if name == "message-100" else DONE)
    with consuming(source, work):
        until(lambda: len(source.deleted) == 199, "all others are handled")
        gate.open()


def test_a_queue_of_more_weight_is_served_more() -> None:
    sources = {name: FakeQueue(names=names(3000)) for name in ("heavy", "light")}
    ledger: list[str] = []

    def act(name: str, queue: str) -> Verdict:
        ledger.append(queue)
        # Long enough that a receive outruns it.
        time.sleep(0.0005)
        return DONE

    works = {
        queue: Work(source, lambda name, queue=queue: act(name, queue))  # type: ignore[misc]
        for queue, source in sources.items()
    }
    pool = Pool(2)
    consumers = [
        Consumer(source, queue, works[queue], pool, weight=3.0 if queue == "heavy" else 1.0, wait=1)
        for queue, source in sources.items()
    ]
    for consumer in consumers:
        consumer.start()
    until(lambda: all(len(consumer._share.line) for consumer in consumers), "both have messages")
    with working(pool):
        until(lambda: len(ledger) >= 2000, "many have begun")
        for consumer in consumers:
            consumer.drain(PATIENCE_SECONDS)
    begun = Counter(ledger[400:2000])
    # By how much is the pool's: here a receive that comes late gives a queue's turn away.
    assert begun["heavy"] > 1.3 * begun["light"]


def test_what_runs_longer_than_its_limit_is_overdue_and_not_what_waits() -> None:
    source = FakeQueue(names=names(3))
    gate = Gate()
    work = Work(source, gate)
    with consuming(source, work, threads=2, limit=0.05) as consumer:
        until(lambda: len(consumer.overdue()) == 2, "both are overdue")
        assert len({lease.thread for lease in consumer.overdue()}) == 2
        gate.open()
        until(lambda: not source.stored, "everything is deleted")
        assert consumer.overdue() == []


def test_a_message_that_comes_late_in_a_long_poll_is_not_lost() -> None:
    source = FakeQueue()
    work = Work(source)
    lost: list[bool] = []

    def handle(leases: Sequence[Lease]) -> list[Verdict]:
        lost.extend(lease.lost for lease in leases)
        return work(leases)

    with consuming(source, handle, visibility=1, wait=3):
        until(lambda: source.waiting, "a long poll is under way")
        asked = time.monotonic()
        until(lambda: time.monotonic() > asked + 1.1 or source.receives > 1, "it is longer than the time-out")
        source.put("late")
        until(lambda: lost, "it is handled")
    assert lost == [False]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_deleted_that_was_not_handled_and_nothing_is_lost(seed: int) -> None:
    """Random outcomes, failures and a drain at a random moment; then a second consumer finishes what is left."""
    chosen = random.Random(seed)
    fifo = seed % 3 == 0
    everything = [f"{chosen.randint(0, 5)}/{number}" for number in range(chosen.randint(1, 200))]
    faults = Faults(
        receive=some(chosen.choice([0, 0.3]), seed),
        delete=some(chosen.choice([0, 0.3]), seed + 1),
        delete_entry=some(chosen.choice([0, 0.3]), seed + 2),
        change=some(chosen.choice([0, 0.3]), seed + 3),
        change_entry=some(chosen.choice([0, 0.3]), seed + 4),
        bury=some(chosen.choice([0, 0.5]), seed + 5),
    )
    source = FakeQueue(names=everything, fifo=fifo, receives_allowed=chosen.choice([None, 100]), faults=faults)
    verdicts = [DONE, DONE, DONE, retried(0.0), REJECTED]
    lock = threading.Lock()

    def act(_: str) -> Verdict:
        with lock:
            pause, verdict = chosen.choice([0, 0, 0.001, 0.005]), chosen.choice(verdicts)
        time.sleep(pause)
        return verdict

    work = Work(source, act)
    enough = chosen.randint(0, len(everything) // 2)
    seconds = chosen.choice([0.0, 0.02, PATIENCE_SECONDS])
    with consuming(source, work, threads=chosen.randint(1, 8), wait=0, batch=chosen.choice([1, 7])) as consumer:
        until(lambda: sum(work.begun.values()) >= enough, "the moment of the drain")
        consumer.drain(seconds)
    assert source.deleted_without_work == []
    assert set(source.stored) | set(source.deleted) == set(everything)

    source.faults = Faults()
    source.expire()
    with consuming(source, Work(source), wait=0):
        until(lambda: not source.stored, "the second consumer has finished the rest")
    assert source.deleted == Counter(everything)
    assert source.deleted_without_work == []

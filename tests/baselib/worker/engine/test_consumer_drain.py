"""A drain loses nothing, leaves nothing invisible, and ends in time."""

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import DONE, Verdict
from tests.baselib.processes import PATIENCE_SECONDS, until
from tests.baselib.worker.engine.fake_queue import (
    Draining,
    FakeQueue,
    Faults,
    Gate,
    Stored,
    Work,
    consuming,
    names,
    retried,
)


def test_what_runs_is_finished_and_what_waits_is_given_back_at_once() -> None:
    source = FakeQueue(names=names(10))
    gate = Gate()
    work = Work(source, gate)
    # Room for more than are worked on.
    with consuming(source, work, threads=2, pace=0.2) as consumer:
        until(lambda: source.held() == 10 and len(work.begun) == 2, "two run and eight wait")
        running = set(work.begun)
        drain = Draining(consumer)
        until(lambda: len(source.visible()) == 8, "eight are given back while two still run")
        assert source.visible() == set(names(10)) - running
        assert not drain.over
        gate.open()
        drained = drain.result()
    assert (drained.given_back, drained.undeleted) == (8, 0)
    assert set(source.deleted) == set(work.begun) == running


def test_a_handler_learns_of_the_deadline_of_the_drain() -> None:
    source = FakeQueue(names=["one"])
    gate = Gate()
    work = Work(source, gate)
    with consuming(source, work, limit=1000.0) as consumer:
        until(lambda: work.leases, "it runs")
        (lease,) = work.leases
        assert lease.deadline is not None
        assert 900 < lease.deadline - time.monotonic() <= 1000
        drain = Draining(consumer, 20.0)
        until(lambda: (lease.deadline or 0.0) - time.monotonic() <= 20, "it is told")
        gate.open()
        drain.result()


def test_what_runs_at_the_deadline_is_given_back_and_not_deleted_afterwards() -> None:
    source = FakeQueue(names=names(2))
    gate = Gate()
    work = Work(source, gate)
    with consuming(source, work, threads=2) as consumer:
        until(lambda: len(work.begun) == 2, "both run")
        drained = consumer.drain(0.1)
        assert (drained.given_back, drained.undeleted) == (2, 0)
        assert {name for name, _ in source.changes} == set(names(2))
        assert {seconds for _, seconds in source.changes} <= {0, 3}
        gate.open()
    # Somebody else has them now, so the late end of this work may delete nothing.
    assert not source.deleted


def test_a_failure_after_the_drain_does_not_hide_a_message_that_was_given_back() -> None:
    source = FakeQueue(names=["one"])
    gate = Gate(retried(600.0))
    work = Work(source, gate)
    with consuming(source, work, threads=1) as consumer:
        until(lambda: work.begun, "it runs")
        assert consumer.drain(0.1).given_back == 1
        gate.open()
    # At once, or in 3 s where its own receive is still open, which would get it.
    assert len(source.changes) == 1
    assert source.changes[0][1] in (0, 3)


def test_a_failure_during_the_last_calls_does_not_hide_a_message_that_was_given_back() -> None:
    given_back, done = threading.Event(), threading.Event()

    class Slow(FakeQueue):
        def change(self, changes: Iterable[tuple[Lease, int]]) -> Any:
            given_back.set()
            # While this call is under way the handler ends, and what follows from that is done.
            done.wait(PATIENCE_SECONDS)
            return super().change(changes)

    source = Slow(names=["one"])

    def late(_: str) -> Verdict:
        assert given_back.wait(PATIENCE_SECONDS)
        return retried(600.0)

    with consuming(source, Work(source, late), threads=1) as consumer:
        until(source.held, "it runs")
        drain = Draining(consumer, 0.0)
        until(lambda: consumer._room._taken == 0 or drain.over, "the handler has ended")
        done.set()
        drain.result()
    # At once, or in 3 s where its own receive is still open; never in 600.
    assert [seconds for _, seconds in source.changes] in ([0], [3])


def test_what_is_done_at_the_moment_of_the_drain_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeQueue(names=["one"])
    gate = Gate()
    work = Work(source, gate)
    with consuming(source, work, threads=1) as consumer:
        deleter, put = consumer._deleter, consumer._deleter.put

        def late(lease: Lease) -> None:
            # As if the thread were not scheduled for as long as a drain needs that looks at the wrong thing.
            deleter._closing.wait(1.0)
            if deleter._closing.is_set():
                for thread in deleter._threads:
                    thread.join(1.0)
            put(lease)

        monkeypatch.setattr(deleter, "put", late)
        until(lambda: work.begun, "it runs")
        drain = Draining(consumer)
        gate.open()
        drained = drain.result()
    assert source.deleted["one"] + drained.undeleted == 1


def test_what_fails_at_the_moment_of_the_drain_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeQueue(names=["one"])
    gate = Gate(retried(0.0))
    work = Work(source, gate)
    with consuming(source, work, threads=1) as consumer:
        visibility, put_off = consumer._visibility, consumer._visibility.put_off

        def late(lease: Lease, seconds: float) -> None:
            visibility._closing.wait(2.0)
            if visibility._closing.is_set():
                visibility._thread.join(1.0)
            put_off(lease, seconds)

        monkeypatch.setattr(visibility, "put_off", late)
        until(lambda: work.begun, "it runs")
        drain = Draining(consumer)
        gate.open()
        drain.result()
    assert source.visible() == {"one"}


def test_what_a_late_long_poll_brings_is_given_back_and_counted() -> None:
    source, drained = _late_long_poll()
    assert drained.given_back == 2
    assert source.visible() == {"late", "later"}


def test_what_a_late_long_poll_brings_is_given_back_and_not_handled() -> None:
    source, drained = _late_long_poll()
    assert source.visible() == {"late", "later"}
    assert sorted(source.changes) == [("late", 0), ("later", 0)]
    assert not source.finished
    assert drained.undeleted == 0


def _late_long_poll() -> Any:
    source = FakeQueue()
    work = Work(source)
    with consuming(source, work, wait=20) as consumer:
        until(lambda: source.waiting, "a long poll is under way")
        drain = Draining(consumer)
        source.put("late", "later")
        drained = drain.result()
    assert not work.begun
    return source, drained


def test_what_is_received_at_the_moment_of_the_drain_is_not_begun_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeQueue()
    with consuming(source, Work(source), threads=1, wait=20) as consumer:
        add, offer, deleter = consumer._leases.add, consumer._pool.offer, consumer._deleter
        offering = threading.Event()

        def late(leases: Iterable[Lease]) -> bool:
            offering.set()
            # As if the thread were not scheduled until the drain has nothing left to delete.
            until(deleter._closing.is_set, "the drain goes on")
            for thread in deleter._threads:
                thread.join(PATIENCE_SECONDS)
            return add(leases)

        def offer_and_let_go_first(share: Any, leases: Iterable[Lease]) -> None:
            offer(share, leases)
            until(lambda: not share.line and consumer._pool._idle, "it is handled, or nobody may")

        monkeypatch.setattr(consumer._leases, "add", late)
        monkeypatch.setattr(consumer._pool, "offer", offer_and_let_go_first)
        source.put("late")
        assert offering.wait(PATIENCE_SECONDS)
        drained = Draining(consumer).result()
    assert source.deleted["late"] + drained.undeleted + len(source.visible()) == 1


def test_an_idle_consumer_is_drained_at_once_and_all_its_threads_end() -> None:
    source = FakeQueue()
    with consuming(source, Work(source), wait=0) as consumer:
        drained = consumer.drain(PATIENCE_SECONDS)
        threads = [consumer._receiver._thread, *consumer._deleter._threads, consumer._visibility._thread]
        assert not any(thread.is_alive() for thread in threads)
    assert (drained.given_back, drained.undeleted) == (0, 0)
    assert source.changes == []


@pytest.mark.usefixtures("quick")
def test_what_is_done_and_cannot_be_deleted_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    source = FakeQueue(names=names(3), faults=Faults(delete=lambda: True))
    with consuming(source, Work(source)) as consumer:
        until(lambda: len(source.finished) == 3, "all are done")
        drained = consumer.drain(0.1)
    assert (drained.given_back, drained.undeleted) == (0, 3)
    (record,) = [
        record for record in caplog.records if record.getMessage() == "drained, but SQS did not take all of it"
    ]
    assert record.__dict__["undeleted"] == 3


@pytest.mark.usefixtures("quick")
def test_an_outage_during_the_drain_does_not_make_it_late() -> None:
    source = FakeQueue(names=names(20), faults=Faults(change=lambda: True, delete=lambda: True))
    gate = Gate()
    work = Work(source, lambda name: gate(name) if name == "message-1" else DONE)
    with consuming(source, work, threads=2, wait=0) as consumer:
        until(lambda: source.finished and work.begun["message-1"], "some are done and one runs")
        source.faults.receive = lambda: True
        began = time.monotonic()
        consumer.drain(0.3)
        # 2 s are for the last calls, out of the 5 s until SIGKILL.
        assert time.monotonic() - began < 4.5
        gate.open()


def test_what_is_held_is_extended_for_as_long_as_the_drain_lasts() -> None:
    source = FakeQueue(names=["one"])
    gate = Gate()
    work = Work(source, gate)
    with consuming(source, work, visibility=1) as consumer:
        until(lambda: work.begun, "it runs")
        drain = Draining(consumer)
        ends = time.monotonic() + 1.5
        until(lambda: time.monotonic() > ends, "its time-out is over")
        assert not work.leases[0].lost
        gate.open()
        drain.result()
    assert source.deleted["one"] == 1


def test_a_batch_that_runs_is_finished_as_a_whole() -> None:
    source = FakeQueue(names=names(9))
    entered, gate = threading.Event(), Gate()
    work = Work(source, gate)

    def handle(leases: Sequence[Lease]) -> list[Verdict]:
        entered.set()
        return work(leases)

    with consuming(source, handle, threads=1, batch=5) as consumer:
        assert entered.wait(PATIENCE_SECONDS)
        drain = Draining(consumer)
        gate.open()
        drained = drain.result()
    (size,) = work.calls
    assert len(source.deleted) == size
    assert len(source.visible()) == 9 - size
    assert drained.undeleted == 0


def test_what_is_given_back_at_the_deadline_does_not_go_to_our_own_long_poll() -> None:
    class Answering(FakeQueue):
        """Whose last answer takes as long as the drain does, and who gives a process that has ended nothing."""

        def receive(self, *, most: int, wait: int, visibility: int) -> list[dict[str, Any]]:
            found = super().receive(most=most, wait=wait, visibility=visibility)
            if draining.is_set():
                drained.wait(PATIENCE_SECONDS)
            return found

        def _receivable(self) -> list[Stored]:
            return [] if drained.is_set() else super()._receivable()

    draining, drained = threading.Event(), threading.Event()
    source = Answering(names=["one"])
    gate = Gate()
    work = Work(source, gate)
    with consuming(source, work, threads=2, wait=3) as consumer:
        until(lambda: work.begun and source.waiting, "one runs and a long poll is open")
        draining.set()
        consumer.drain(0.1)
        # A poll that was given it has it by now.
        given = time.monotonic() + 0.5
        until(lambda: not source.waiting or time.monotonic() > given, "the poll has got something, or nothing")
        drained.set()
        gate.open()
        gone = time.monotonic() + 5
        until(lambda: not source.held() or time.monotonic() > gone, "it can be received, or never")
        assert source.visible() == {"one"}

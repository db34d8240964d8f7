"""What is done is deleted, in batches, until SQS has done it."""

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence

import pytest

from baselib.worker.engine.deleting import Deleter
from baselib.worker.engine.lease import Lease, Leases
from baselib.worker.engine.queue import Refused
from tests.baselib.processes import PATIENCE_SECONDS, until
from tests.baselib.worker.engine.fake_queue import FakeQueue, Faults, names, some


def _held(source: FakeQueue) -> list[Lease]:
    found: list[Lease] = []
    while raws := source.receive(most=10, wait=0, visibility=60):
        found += [Lease(raw, time.monotonic(), 60.0) for raw in raws]
    source.finished.update(source.stored)
    return found


@contextlib.contextmanager
def _deleting(source: FakeQueue, leases: Leases | None = None) -> Iterator[Deleter]:
    deleter = Deleter(source, "main", leases or Leases())
    deleter.start()
    try:
        yield deleter
    finally:
        deleter.finish(time.monotonic())
        for thread in deleter._threads:
            thread.join(PATIENCE_SECONDS)


def _finish(deleter: Deleter) -> int:
    return deleter.finish(time.monotonic() + PATIENCE_SECONDS)


def test_messages_are_deleted_in_batches_of_ten_dropped_and_counted(captured_metrics: list[str]) -> None:
    source = FakeQueue(names=names(200))
    held = _held(source)
    leases = Leases()
    leases.add(held)
    with _deleting(source, leases) as deleter:
        for lease in held:
            deleter.put(lease)
        until(lambda: not source.stored, "all are deleted")
        assert _finish(deleter) == 0
    assert len(source.batches["delete"]) <= 25
    assert len(leases) == 0
    counts = [line for line in "\n".join(captured_metrics).splitlines() if line.startswith("test.messages.deleted:")]
    assert sum(int(line.split(":")[1].split("|")[0]) for line in counts) == 200


@pytest.mark.usefixtures("quick")
def test_what_fails_is_tried_again_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    source = FakeQueue(names=names(100), faults=Faults(delete=some(0.3, 1), delete_entry=some(0.3, 2)))
    with _deleting(source) as deleter:
        for lease in _held(source):
            deleter.put(lease)
        assert _finish(deleter) == 0
    assert set(source.deleted.values()) == {1}
    assert len(source.deleted) == 100
    assert [record.getMessage() for record in caplog.records].count("cannot delete") == 1


@pytest.mark.usefixtures("quick")
def test_what_could_not_be_deleted_in_time_is_counted_and_still_held() -> None:
    source = FakeQueue(names=names(15), faults=Faults(delete=lambda: True))
    held = _held(source)
    leases = Leases()
    leases.add(held)
    with _deleting(source, leases) as deleter:
        for lease in held:
            deleter.put(lease)
        assert deleter.finish(time.monotonic() + 0.1) == len(deleter) == 15
    assert len(leases) == 15


def test_nothing_is_deleted_while_another_call_about_it_is_under_way() -> None:
    source = FakeQueue(names=["one", "two"])
    held = _held(source)
    leases = Leases()
    leases.add(held)
    leases.claim(held[:1])
    with _deleting(source, leases) as deleter:
        for lease in held:
            deleter.put(lease)
        until(lambda: source.deleted["two"], "the other is deleted")
        assert "one" in source.stored
        leases.release(held[:1])
        until(lambda: source.deleted["one"], "it is deleted")


def test_while_a_delete_is_under_way_nobody_extends_it() -> None:
    due: list[list[Lease]] = []

    class Looking(FakeQueue):
        def delete(self, leases: Sequence[Lease]) -> Refused:
            due.append(held.claim_held(held.due(time.monotonic() + 1e6)))
            return super().delete(leases)

    source = Looking(names=["one"])
    (lease,) = _held(source)
    held = Leases()
    held.add([lease])
    with _deleting(source, held) as deleter:
        deleter.put(lease)
        assert _finish(deleter) == 0
    assert due == [[]]


def test_what_was_deleted_cannot_be_extended_any_more() -> None:
    due: list[Lease] = []

    class Looking(Leases):
        def release(self, leases: Iterable[Lease]) -> None:
            super().release(leases)
            # What the thread of the extensions may do at this moment.
            due.extend(self.claim_held(self.due(time.monotonic() + 1e6)))

    source = FakeQueue(names=["one"])
    (lease,) = _held(source)
    held = Looking()
    held.add([lease])
    with _deleting(source, held) as deleter:
        deleter.put(lease)
        assert _finish(deleter) == 0
    assert due == []


def test_after_a_deletion_and_not_before_it_is_cleaned_up() -> None:
    source = FakeQueue(names=["one", "two"], faults=Faults(delete_entry=iter([True, False, False]).__next__))
    cleaned: list[bool] = []
    with _deleting(source) as deleter:
        for lease in _held(source):
            name = lease.raw["MessageId"]
            lease.on_deleted = lambda name=name: cleaned.append(name in source.deleted)
            deleter.put(lease)
        assert _finish(deleter) == 0
    assert cleaned == [True, True]


def test_a_clean_up_that_fails_stops_nothing() -> None:
    source = FakeQueue(names=["one", "two"])
    with _deleting(source) as deleter:
        for lease in _held(source):
            lease.on_deleted = lambda: 1 // 0
            deleter.put(lease)
        assert _finish(deleter) == 0
    assert len(source.deleted) == 2


def test_what_sqs_knows_nothing_of_is_not_tried_again_nor_cleaned_up(
    caplog: pytest.LogCaptureFixture, captured_metrics: list[str]
) -> None:
    class Forgetful(FakeQueue):
        def delete(self, leases: Sequence[Lease]) -> Refused:
            self.batches["delete"].append(len(leases))
            return Refused([], list(leases))

    source = Forgetful(names=["one"])
    (lease,) = _held(source)
    cleaned: list[int] = []
    lease.on_deleted = lambda: cleaned.append(1)
    with _deleting(source) as deleter:
        deleter.put(lease)
        assert _finish(deleter) == 0
    assert source.batches["delete"] == [1]
    assert cleaned == []
    assert [record.getMessage() for record in caplog.records] == ["lease lost before the delete"]
    assert not any("messages.deleted" in line for line in captured_metrics)


def test_in_a_fifo_queue_one_thread_deletes() -> None:
    assert len(Deleter(FakeQueue(fifo=True), "main", Leases())._threads) == 1
    assert len(Deleter(FakeQueue(), "main", Leases())._threads) > 1


def test_an_idle_deleter_ends_at_once() -> None:
    with _deleting(FakeQueue()) as deleter:
        assert _finish(deleter) == 0
        assert not any(thread.is_alive() for thread in deleter._threads)

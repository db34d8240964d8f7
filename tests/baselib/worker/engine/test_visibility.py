"""Held messages are extended, and others put off or given back, by one thread and in batches."""

import contextlib
import itertools
import time
from collections.abc import Iterator

import pytest

from baselib.worker.engine.lease import LONGEST_HOLD_SECONDS, Lease, Leases
from baselib.worker.engine.visibility import Visibility
from tests.baselib.processes import PATIENCE_SECONDS, until
from tests.baselib.worker.engine.fake_queue import FakeQueue, Faults, names, some


class _Held:
    """Messages of a queue, all held."""

    def __init__(self, source: FakeQueue, seconds: int) -> None:
        self.leases = Leases()
        self.all: list[Lease] = []
        while raws := source.receive(most=10, wait=0, visibility=seconds):
            self.all += [Lease(raw, time.monotonic(), seconds) for raw in raws]
        self.leases.add(self.all)


@contextlib.contextmanager
def _changing(source: FakeQueue, leases: Leases | None = None, *, seconds: int = 60) -> Iterator[Visibility]:
    visibility = Visibility(source, "main", leases or Leases(), seconds)
    visibility.start()
    try:
        yield visibility
    finally:
        visibility.finish(time.monotonic())
        visibility._thread.join(PATIENCE_SECONDS)
        assert not visibility._thread.is_alive()


def _finish(visibility: Visibility) -> int:
    return visibility.finish(time.monotonic() + PATIENCE_SECONDS)


def test_everything_held_is_extended_in_batches_again_and_again() -> None:
    source = FakeQueue(names=names(25))
    held = _Held(source, 1)
    with _changing(source, held.leases, seconds=1):
        ends = time.monotonic() + 2.5
        until(lambda: time.monotonic() > ends, "the first time-out is long over")
        assert source.visible() == set()
        assert not any(lease.lost for lease in held.all)
    assert {seconds for _, seconds in source.changes} == {1}
    assert sorted(source.batches["change"][:3]) == [5, 10, 10]


def test_whoever_wants_to_know_is_told_of_an_extension() -> None:
    source = FakeQueue(names=["one"])
    held = _Held(source, 1)
    told: list[float] = []
    held.all[0].on_extended = told.append
    with _changing(source, held.leases, seconds=1):
        until(lambda: len(told) >= 2, "it is told")
    assert set(told) == {1}


def test_what_is_about_to_be_deleted_is_not_extended() -> None:
    source = FakeQueue(names=["one", "two"])
    held = _Held(source, 1)
    held.leases.claim(held.all[:1])
    with _changing(source, held.leases, seconds=1):
        until(lambda: len(source.changes) >= 3, "the other is extended")
    assert {name for name, _ in source.changes} == {"two"}


def test_an_extension_that_fails_is_tried_again_in_time() -> None:
    failures = iter([True])
    source = FakeQueue(names=["one"], faults=Faults(change=lambda: next(failures, False)))
    held = _Held(source, 2)
    with _changing(source, held.leases, seconds=2):
        until(lambda: source.changes, "it is extended")
        assert not held.all[0].lost
    assert len(source.batches["change"]) >= 2


def test_a_message_that_sqs_gave_to_somebody_else_is_lost_and_told_once(
    caplog: pytest.LogCaptureFixture, captured_metrics: list[str]
) -> None:
    source = FakeQueue(names=["one", "two"])
    held = _Held(source, 1)
    lost = held.all[0]
    source.stored["one"].receipt = "somebody else's"
    with _changing(source, held.leases, seconds=1):
        until(lambda: lost.lost, "it is noticed")
        until(lambda: len(source.changes) >= 3, "the other is extended all the same")
    assert not held.all[1].lost
    (record,) = [record for record in caplog.records if record.getMessage() == "lease lost"]
    assert record.__dict__["message_ids"] == ["one"]
    assert [line for line in captured_metrics if "lost_leases" in line] == ["test.messages.lost_leases:1|c|#queue:main"]


def test_a_message_is_lost_when_it_cannot_be_extended_for_too_long() -> None:
    source = FakeQueue(names=["one"], faults=Faults(change=lambda: True))
    held = _Held(source, 1)
    with _changing(source, held.leases, seconds=1):
        until(lambda: held.all[0].lost, "its time is over")


def test_no_message_is_held_for_more_than_twelve_hours() -> None:
    source = FakeQueue(names=["one"])
    held = _Held(source, 1)
    # As if it had been received long ago: 1,000 of its 43,200 seconds are left.
    held.all[0].last = time.monotonic() + 1000.0
    source.stored["one"].received_at = time.monotonic() + 1000.0 - LONGEST_HOLD_SECONDS
    with _changing(source, held.leases, seconds=4000):
        held.all[0].until = time.monotonic() + 0.5
        # The time-out is long, and so is the time between two looks: so a look is asked for.
        _look(source, held, 4000)
    assert [900 < seconds < 1000 for _, seconds in source.changes] == [True]
    assert not held.all[0].lost


def _look(source: FakeQueue, held: _Held, seconds: int) -> None:
    Visibility(source, "main", held.leases, seconds)._extend()


def test_what_can_be_held_no_longer_is_not_extended() -> None:
    source = FakeQueue(names=["one"])
    held = _Held(source, 1)
    held.all[0].last = held.all[0].until
    _look(source, held, 1)
    assert source.batches["change"] == []


@pytest.mark.usefixtures("quick")
def test_messages_are_put_off_and_given_back_in_batches_until_sqs_does_it() -> None:
    source = FakeQueue(names=names(60), faults=Faults(change=some(0.3, 1), change_entry=some(0.3, 2)))
    held = _Held(source, 60)
    with _changing(source) as visibility:
        for lease in held.all[:30]:
            visibility.put_off(lease, 600)
        visibility.give_back(held.all[30:])
        assert _finish(visibility) == 0
    put_off = {name for name, seconds in source.changes if seconds == 600}
    assert len(source.changes) == 60
    assert put_off == {lease.raw["MessageId"] for lease in held.all[:30]}
    assert source.visible() == {lease.raw["MessageId"] for lease in held.all[30:]}
    assert len(source.batches["change"]) < 60


@pytest.mark.parametrize(("delay", "seconds"), [(0, 0), (7, 7), (7.4, 7), (-3, 0), (600.0, 600), (float("nan"), 0)])
def test_a_message_is_put_off_by_whole_seconds(delay: float, seconds: int) -> None:
    source = FakeQueue(names=["one"])
    held = _Held(source, 60)
    with _changing(source) as visibility:
        visibility.put_off(held.all[0], delay)
        assert _finish(visibility) == 0
    assert source.changes == [("one", seconds)]


@pytest.mark.parametrize("delay", [43_200, 100_000, float("inf")])
def test_a_very_long_delay_ends_twelve_hours_after_the_receipt(delay: float) -> None:
    source = FakeQueue(names=["one"])
    held = _Held(source, 60)
    # It was received, and its work begun, ten minutes ago.
    held.all[0].last -= 600
    source.stored["one"].received_at -= 600
    with _changing(source) as visibility:
        visibility.put_off(held.all[0], delay)
        assert _finish(visibility) == 0
    assert [name for name, seconds in source.changes if 42_000 <= seconds <= 42_600] == ["one"]


def test_a_message_that_is_lost_is_not_put_off_any_more() -> None:
    source = FakeQueue(names=["one", "two"])
    held = _Held(source, 60)
    held.all[0].lose()
    with _changing(source) as visibility:
        visibility.give_back(held.all)
        assert _finish(visibility) == 0
    assert [name for name, _ in source.changes] == ["two"]


@pytest.mark.usefixtures("quick")
def test_what_could_not_be_changed_in_time_is_counted_and_complained_of_once(caplog: pytest.LogCaptureFixture) -> None:
    source = FakeQueue(names=names(12), faults=Faults(change=lambda: True))
    held = _Held(source, 60)
    with _changing(source) as visibility:
        visibility.give_back(held.all)
        until(lambda: len(source.batches["change"]) > 3, "it has failed often")
        assert visibility.finish(time.monotonic() + 0.1) == 12
    assert [record.getMessage() for record in caplog.records] == ["cannot put off or give back"]


def test_an_outage_does_not_make_it_call_in_a_tight_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeQueue(names=["one"], faults=Faults(change=lambda: True))
    held = _Held(source, 60)
    pauses: list[float] = []
    visibility = Visibility(source, "main", Leases(), 60)

    def wait(timeout: float) -> None:
        pauses.append(timeout)

    monkeypatch.setattr(visibility._given_up, "wait", wait)
    visibility.start()
    visibility.give_back(held.all)
    until(lambda: len(pauses) > 20, "it has failed often")
    visibility.finish(time.monotonic())
    visibility._thread.join(PATIENCE_SECONDS)
    assert all(earlier < 4 * later for earlier, later in itertools.pairwise(pauses))
    assert all(1.5 <= pause <= 3.0 for pause in pauses[10:])

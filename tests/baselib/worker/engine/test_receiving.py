"""The loop that receives: it survives whatever SQS answers, and asks for no more than it should."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from baselib.worker.engine import receiving
from baselib.worker.engine.pace import Pace
from baselib.worker.engine.receiving import Receiver
from baselib.worker.engine.room import Room
from tests.baselib.processes import PATIENCE_SECONDS, until
from tests.baselib.worker.engine.fake_queue import FakeQueue, Faults, names


@contextlib.contextmanager
def _receiving(source: FakeQueue, *, threads: int = 1000, wait: int = 1) -> Iterator[tuple[Receiver, list[str]]]:
    """A receiver whose messages need no work."""
    found: list[str] = []
    room = Room(threads, 1, Pace(), lambda: 0)

    def accept(raws: list[dict[str, Any]]) -> None:
        found.extend(raw["MessageId"] for raw in raws)

    receiver = Receiver(source, "main", room, accept, wait=wait, visibility=60)
    receiver.start()
    try:
        yield receiver, found
    finally:
        receiver.stop()
        receiver.join(time.monotonic() + PATIENCE_SECONDS)
        assert not receiver._thread.is_alive()


def test_messages_are_received_ten_at_a_time_and_counted(captured_metrics: list[str]) -> None:
    source = FakeQueue(names=names(500))
    with _receiving(source) as (_, found):
        until(lambda: len(found) == 500, "all are received")
    assert sorted(found) == sorted(names(500))
    full = [count for count in source.batches["receive"] if count]
    assert set(full) == {10}
    counts = [line for line in "\n".join(captured_metrics).splitlines() if line.startswith("test.messages.received:")]
    assert sum(int(line.split(":")[1].split("|")[0]) for line in counts) == 500
    assert all(line.endswith("|#queue:main") for line in counts)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyError("Messages"), OSError(104, "reset"), RecursionError()])
def test_no_answer_ends_the_loop_and_it_is_complained_of_once(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    broken = threading.Event()
    broken.set()

    def fail() -> bool:
        if broken.is_set():
            raise error
        return False

    source = FakeQueue(names=names(20), faults=Faults(receive=fail))
    with _receiving(source) as (receiver, found):
        until(lambda: source.receives > 20, "it keeps on trying")
        assert receiver.alive
        broken.clear()
        until(lambda: len(found) == 20, "it receives again")
    assert [record.getMessage() for record in caplog.records] == ["cannot receive"]


def test_during_an_outage_it_does_not_ask_in_a_tight_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    source = FakeQueue(faults=Faults(receive=lambda: True))

    class Stopping(threading.Event):
        """Whose waits take no time, but are written down."""

        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            return super().wait(0.0)

    room = Room(10, 1, Pace(), lambda: 0)
    receiver = Receiver(source, "main", room, lambda *_: None, wait=20, visibility=60)
    monkeypatch.setattr(receiver, "_stopping", Stopping())
    receiver.start()
    until(lambda: len(pauses) > 20, "it has failed often")
    receiver.stop()
    receiver.join(time.monotonic() + PATIENCE_SECONDS)
    # Both grow, and end where an outage's end is still noticed soon.
    assert 0.1 <= pauses[0] <= 0.25
    assert all(1.5 <= pause <= 3.0 for pause in pauses[6:])
    # One pause for each failed call.
    assert source.receives <= len(pauses) + 1


@pytest.mark.usefixtures("quick")
def test_places_are_given_back_by_receives_that_fail_or_bring_less() -> None:
    # More failing receives than there are places.
    failures = iter([True] * 30)
    source = FakeQueue(names=names(1), faults=Faults(receive=lambda: next(failures, False)))
    with _receiving(source, threads=3, wait=0) as (receiver, found):
        until(lambda: found and source.receives > 60, "it goes on")
        until(lambda: 1 <= receiver._room._taken <= 3, "only one place is in use for long")
    assert receiver._room._taken == 1


def test_an_empty_queue_is_asked_by_one_long_poll_at_a_time() -> None:
    source = FakeQueue()
    with _receiving(source, wait=20) as (receiver, found):
        until(lambda: source.waiting, "it waits")
        source.put("first")
        until(lambda: found, "it is received")
        until(lambda: source.waiting, "it waits again")
        assert (source.waiting, source.receives) == (1, 2)
        receiver.stop()
        source.put("last")


def test_a_thread_helps_only_while_the_queue_has_more_than_ten() -> None:
    source = FakeQueue(names=names(25))
    found: list[str] = []

    def accept(raws: list[dict[str, Any]]) -> None:
        found.extend(raw["MessageId"] for raw in raws)

    receiver = Receiver(source, "main", Room(1000, 1, Pace(), lambda: 0), accept, wait=20, visibility=60)
    receiver.help()
    assert source.receives == 0
    # As after a receive that was full.
    receiver._note(10)
    for _ in range(5):
        receiver.help()
    # Ten, ten and five; and never a long poll.
    assert source.receives == 3
    assert sorted(found) == sorted(names(25))


def test_a_helper_that_meets_an_outage_leaves_it_to_the_loop() -> None:
    source = FakeQueue(faults=Faults(receive=lambda: True))
    receiver = Receiver(source, "main", Room(1000, 1, Pace(), lambda: 0), print, wait=20, visibility=60)
    receiver._note(10)
    for _ in range(5):
        receiver.help()
    assert source.receives == 1
    assert receiver._room._taken == 0


@pytest.mark.parametrize("fifo", [False, True])
def test_nobody_helps_with_a_fifo_queue_or_after_the_stop(fifo: bool) -> None:
    source = FakeQueue(names=["a/0"], fifo=fifo)
    receiver = Receiver(source, "main", Room(1, 1, Pace(), lambda: 0), print, wait=1, visibility=60)
    receiver._note(10)
    if not fifo:
        receiver.stop()
    receiver.help()
    assert source.receives == 0


def test_a_loop_that_does_not_turn_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_STUCK_SECONDS", -0.95)
    source = FakeQueue()
    entered, released = threading.Event(), threading.Event()

    def hang() -> bool:
        entered.set()
        assert released.wait(PATIENCE_SECONDS)
        return False

    source.faults.receive = hang
    with _receiving(source, wait=1) as (receiver, _):
        assert entered.wait(PATIENCE_SECONDS)
        until(lambda: not receiver.alive, "it is noticed")
        released.set()


def test_a_loop_that_waits_for_a_place_is_alive() -> None:
    source = FakeQueue(names=names(40))
    with _receiving(source, threads=1) as (receiver, found):
        until(lambda: len(found) == 1, "the only place is taken")
        turned = receiver._turned
        until(lambda: receiver._turned > turned, "it turns although there is no place")
        assert receiver.alive
        assert len(source.visible()) == 39

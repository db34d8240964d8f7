"""The engine against a queue in memory that fails when it is told to."""

import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from baselib.worker import consumer as engine
from baselib.worker.consumer import Consumer, Outcome
from baselib.worker.lease import Lease
from baselib.worker.queue import BATCH, MAXIMUM_VISIBILITY_SECONDS, Queue
from tests.baselib.processes import PATIENCE_SECONDS, until

Result = tuple[Outcome, float | None]
DONE: Result = (Outcome.DONE, None)


class ThrottledError(Exception):
    """What AWS says when it is asked too much."""


@dataclass(slots=True)
class Stored:
    """A message in the queue."""

    name: str
    received: int = 0
    visible_at: float = 0.0
    receipt: str = ""


@dataclass(slots=True)
class Faults:
    """What goes wrong; each is asked at every call, or for every entry of one."""

    receive: Callable[[], bool] = lambda: False
    delete: Callable[[], bool] = lambda: False
    delete_entry: Callable[[], bool] = lambda: False
    change: Callable[[], bool] = lambda: False
    bury: Callable[[], bool] = lambda: False


@dataclass(eq=False)
class FakeQueue(Queue):
    """A queue in memory with SQS's rules of visibility, which keeps a ledger of what was asked of it."""

    names: Sequence[str] = ()
    dead_letters: bool = True
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.stored = {name: Stored(name) for name in self.names}
        self.deleted: Counter[str] = Counter()
        self.buried: list[str] = []
        self.changes: list[tuple[str, int]] = []
        self.receives = 0
        self.waiting = 0
        self.finished: set[str] = set()
        self.deleted_without_work: list[str] = []

    def receive(self, *, most: int, wait: int, visibility: int) -> list[dict[str, Any]]:
        assert 1 <= most <= BATCH
        assert 0 <= wait <= 20
        with self.changed:
            self.receives += 1
            if self.faults.receive():
                raise ThrottledError("slow down")
            deadline = time.monotonic() + wait
            self.waiting += 1
            self.changed.notify_all()
            while not (found := self._visible()[:most]) and (left := deadline - time.monotonic()) > 0:
                self.changed.wait(min(left, 0.05))
            self.waiting -= 1
            for each in found:
                each.received += 1
                each.visible_at = time.monotonic() + visibility
                each.receipt = f"{each.name}#{each.received}"
            return [
                {
                    "MessageId": each.name,
                    "ReceiptHandle": each.receipt,
                    "Body": each.name,
                    "Attributes": {"ApproximateReceiveCount": str(each.received)},
                }
                for each in found
            ]

    def delete(self, leases: Sequence[Lease]) -> list[Lease]:
        assert 1 <= len(leases) <= BATCH
        with self.changed:
            if self.faults.delete():
                raise ThrottledError("slow down")
            failed = []
            for lease in leases:
                name = lease.raw["MessageId"]
                if name not in self.finished:
                    self.deleted_without_work.append(name)
                if self.faults.delete_entry():
                    failed.append(lease)
                elif self.stored.pop(name, None):
                    self.deleted[name] += 1
            self.changed.notify_all()
            return failed

    def change_visibility(self, leases: Sequence[Lease], seconds: int) -> list[Lease]:
        assert 1 <= len(leases) <= BATCH
        assert isinstance(seconds, int)
        assert 0 <= seconds <= MAXIMUM_VISIBILITY_SECONDS
        with self.changed:
            if self.faults.change():
                raise ThrottledError("slow down")
            for lease in leases:
                name = lease.raw["MessageId"]
                self.changes.append((name, seconds))
                stored = self.stored.get(name)
                if stored is not None and stored.receipt == lease.receipt:
                    stored.visible_at = time.monotonic() + seconds
            self.changed.notify_all()
            return []

    def send_to_dead_letters(self, raw: dict[str, Any]) -> bool:
        with self.changed:
            if self.faults.bury():
                raise ThrottledError("slow down")
            if self.dead_letters:
                self.buried.append(raw["MessageId"])
                self.finished.add(raw["MessageId"])
            return self.dead_letters

    def put(self, *names: str) -> None:
        """Send messages."""
        with self.changed:
            self.stored.update({name: Stored(name) for name in names})
            self.changed.notify_all()

    def visible(self) -> set[str]:
        """What anybody could receive now."""
        with self.changed:
            return {each.name for each in self._visible()}

    def _visible(self) -> list[Stored]:
        now = time.monotonic()
        return [each for each in self.stored.values() if each.visible_at <= now]


class Work:
    """A handler that keeps a ledger, and does what it was told for each message.

    Args:
        source: The queue, which is told what was worked through.
        act: Does the work and says what shall become of the message.
    """

    def __init__(self, source: FakeQueue, act: Callable[[str], Result] = lambda _: DONE) -> None:
        self._source = source
        self._act = act
        self._lock = threading.Lock()
        self.begun: Counter[str] = Counter()

    def __call__(self, raw: dict[str, Any]) -> Result:
        name = raw["MessageId"]
        with self._lock:
            self.begun[name] += 1
        result = self._act(name)
        if result[0] is Outcome.DONE:
            self._source.finished.add(name)
        return result


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that waits as little as it can after a failure."""
    monkeypatch.setattr(engine, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(engine, "_LONGEST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(engine, "_DELETE_WAIT_SECONDS", 0.005)


def _started(source: FakeQueue, work: Callable[[dict[str, Any]], Result], **more: Any) -> Consumer:
    consumer = Consumer(source, "main", work, **{"threads": 4, "visibility": 60, "wait": 1, **more})
    consumer.start()
    return consumer


def _some(chance: float, seed: int) -> Callable[[], bool]:
    chosen = random.Random(seed)
    return lambda: chosen.random() < chance


def _names(count: int) -> list[str]:
    return [f"message-{number}" for number in range(count)]


def _drained_in_background(consumer: Consumer, seconds: float = PATIENCE_SECONDS) -> tuple[threading.Thread, list[int]]:
    given_back: list[int] = []
    thread = threading.Thread(target=lambda: given_back.append(consumer.drain(seconds)))
    thread.start()
    until(consumer._stopping.is_set, "the drain begins")
    return thread, given_back


def test_every_message_is_handled_and_deleted_once(captured_metrics: list[str]) -> None:
    names = _names(3000)
    source = FakeQueue(names=names)
    work = Work(source)
    consumer = _started(source, work)
    until(lambda: not source.stored, "everything is deleted")
    assert consumer.drain(PATIENCE_SECONDS) == 0
    assert work.begun == source.deleted == Counter(names)
    assert source.deleted_without_work == []
    # Batches of ten are what makes it cheap; one by one would be 3,000 receives.
    assert source.receives < 1500
    for metric in ("received", "deleted"):
        counts = [line for line in captured_metrics if line.startswith(f"test.messages.{metric}:")]
        assert sum(int(line.split(":")[1].split("|")[0]) for line in counts) == 3000
        assert all("queue:main" in line for line in counts)


@pytest.mark.usefixtures("quick")
def test_what_was_not_deleted_is_deleted_again_and_not_handled_again() -> None:
    names = _names(300)
    source = FakeQueue(names=names, faults=Faults(delete_entry=_some(0.2, 1), delete=_some(0.2, 2)))
    work = Work(source)
    consumer = _started(source, work)
    until(lambda: not source.stored, "everything is deleted")
    consumer.drain(PATIENCE_SECONDS)
    assert work.begun == source.deleted == Counter(names)


def test_a_message_that_takes_longer_than_its_time_out_is_not_received_again() -> None:
    source = FakeQueue(names=_names(6))
    began = time.monotonic()

    def slow(name: str) -> Result:
        # Well past the first time-out, whatever else the machine does.
        until(lambda: time.monotonic() > began + 4.5 or None, "the time-out has passed")
        return DONE

    work = Work(source, slow)
    # Two run and four wait for a thread, whose time-out passes as well.
    consumer = _started(source, work, threads=3, visibility=3)
    until(lambda: not source.stored, "everything is deleted")
    consumer.drain(PATIENCE_SECONDS)
    assert set(work.begun.values()) == {1}
    assert {seconds for _, seconds in source.changes} == {3}


@pytest.mark.usefixtures("quick")
def test_an_extension_that_fails_is_tried_again() -> None:
    broken = threading.Event()
    broken.set()
    source = FakeQueue(names=["one"], faults=Faults(change=broken.is_set))
    released = threading.Event()

    def slow(_: str) -> Result:
        assert released.wait(PATIENCE_SECONDS)
        return DONE

    consumer = _started(source, Work(source, slow), visibility=1)
    until(lambda: source.receives, "it is received")
    broken.clear()
    until(lambda: ("one", 1) in source.changes, "it is extended")
    released.set()
    until(lambda: not source.stored, "it is deleted")
    consumer.drain(PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("received", "longest"), [(1, 5), (2, 10), (3, 20), (5, 80), (8, 640), (9, 900), (50, 900), (10_000, 900)]
)
def test_the_back_off_grows_with_each_receive_is_jittered_and_ends(received: int, longest: int) -> None:
    source = FakeQueue(names=_names(60))
    for each in source.stored.values():
        each.received = received - 1
    consumer = _started(source, Work(source, lambda _: (Outcome.RETRIED, None)))
    until(lambda: len(source.changes) == 60, "everything was put off")
    consumer.drain(PATIENCE_SECONDS)
    delays = {seconds for _, seconds in source.changes}
    assert min(delays) >= math.floor(longest / 2)
    assert max(delays) <= longest
    assert len(delays) > 1
    assert not source.deleted


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [(0, 0), (7, 7), (7.4, 7), (-3, 0), (100_000, MAXIMUM_VISIBILITY_SECONDS), (math.inf, MAXIMUM_VISIBILITY_SECONDS)],
)
def test_a_message_comes_again_when_its_handler_said_so(delay: float, seconds: int) -> None:
    source = FakeQueue(names=["one"])
    outcomes = iter([(Outcome.RETRIED, delay)])
    consumer = _started(source, Work(source, lambda _: next(outcomes, DONE)), threads=1)
    until(lambda: source.changes, "it was put off", 10)
    consumer.drain(PATIENCE_SECONDS)
    assert source.changes[0] == ("one", seconds)


def test_a_message_put_off_is_handled_again_and_then_deleted() -> None:
    source = FakeQueue(names=["one"])
    outcomes = iter([(Outcome.RETRIED, 0.0), (Outcome.RETRIED, 0.0)])
    work = Work(source, lambda _: next(outcomes, DONE))
    consumer = _started(source, work)
    until(lambda: source.deleted["one"], "it is deleted")
    consumer.drain(PATIENCE_SECONDS)
    assert work.begun["one"] == 3


def test_a_message_put_off_is_not_extended_any_more() -> None:
    source = FakeQueue(names=["one"])
    consumer = _started(source, Work(source, lambda _: (Outcome.RETRIED, 600.0)), visibility=1)
    until(lambda: source.changes, "it was put off")
    turned = source.receives
    # Two receives of a second each, in which the keeper turns twelve times.
    until(lambda: source.receives >= turned + 2, "the engine went on")
    consumer.drain(PATIENCE_SECONDS)
    assert source.changes == [("one", 600)]


def test_a_rejected_message_goes_to_the_dead_letters_and_is_then_deleted() -> None:
    source = FakeQueue(names=["bad", "good"])
    work = Work(source, lambda name: (Outcome.REJECTED, None) if name == "bad" else DONE)
    consumer = _started(source, work)
    until(lambda: not source.stored, "both are deleted")
    consumer.drain(PATIENCE_SECONDS)
    assert source.buried == ["bad"]
    # The fake counts a burial as work, so a delete before it would be seen here.
    assert source.deleted_without_work == []


@pytest.mark.parametrize("more", [{"dead_letters": False}, {"faults": Faults(bury=lambda: True)}])
def test_a_rejected_message_stays_where_it_cannot_be_copied(more: dict[str, Any]) -> None:
    source = FakeQueue(names=["bad"], **more)
    consumer = _started(source, Work(source, lambda _: (Outcome.REJECTED, None)))
    until(lambda: source.changes, "it was put off")
    consumer.drain(PATIENCE_SECONDS)
    assert set(source.stored) == {"bad"}
    assert source.changes[0][1] > 0


@pytest.mark.usefixtures("quick")
def test_an_outage_of_the_queue_does_not_end_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    broken = threading.Event()
    broken.set()
    source = FakeQueue(names=_names(20), faults=Faults(receive=broken.is_set))
    consumer = _started(source, Work(source))
    until(lambda: source.receives > 50, "it kept on trying")
    assert consumer.alive
    assert not source.deleted
    broken.clear()
    until(lambda: not source.stored, "everything is deleted")
    assert consumer.drain(PATIENCE_SECONDS) == 0
    # Said once, and not fifty times.
    assert [record.getMessage() for record in caplog.records].count("cannot receive") == 1


@pytest.mark.usefixtures("quick")
def test_an_outage_while_everything_is_in_use_leaves_every_place_free_again() -> None:
    # More failing receives than there are places: a place that was not freed would end the loop.
    source = FakeQueue(names=_names(100), faults=Faults(receive=_some(0.7, 3), delete=_some(0.3, 4)))
    consumer = _started(source, Work(source), threads=1)
    until(lambda: not source.stored, "everything is deleted")
    consumer.drain(PATIENCE_SECONDS)
    assert source.receives > 20


def test_a_loop_that_does_not_turn_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_STUCK_SECONDS", -1.05)
    source = FakeQueue()
    entered, released = threading.Event(), threading.Event()

    def hang() -> bool:
        entered.set()
        assert released.wait(PATIENCE_SECONDS)
        return False

    source.faults.receive = hang
    consumer = _started(source, Work(source), wait=1)
    assert entered.wait(PATIENCE_SECONDS)
    until(lambda: not consumer.alive, "it is noticed")
    released.set()
    consumer.drain(PATIENCE_SECONDS)


def test_an_idle_loop_is_alive() -> None:
    source = FakeQueue()
    consumer = _started(source, Work(source), wait=0)
    until(lambda: source.receives > 3, "it turns")
    assert consumer.alive
    assert consumer.drain(PATIENCE_SECONDS) == 0


def test_a_loop_that_waits_for_a_busy_handler_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_STUCK_SECONDS", 0.0)
    source = FakeQueue(names=_names(40))
    released = threading.Event()

    def wait(_: str) -> Result:
        assert released.wait(PATIENCE_SECONDS)
        return DONE

    consumer = _started(source, Work(source, wait), threads=1, wait=5)
    until(lambda: len(source.visible()) == 29, "every place is taken")
    turned = consumer._turned
    until(lambda: consumer._turned > turned, "it turns although there is no place")
    assert consumer.alive
    released.set()
    consumer.drain(PATIENCE_SECONDS)


def test_no_more_is_received_than_can_be_handled_soon() -> None:
    source = FakeQueue(names=_names(100))
    released = threading.Event()

    def wait(_: str) -> Result:
        assert released.wait(PATIENCE_SECONDS)
        return DONE

    consumer = _started(source, Work(source, wait), threads=2)
    until(lambda: len(source.visible()) == 100 - 2 - BATCH, "every place is taken")
    receives = source.receives
    turned = consumer._turned
    until(lambda: consumer._turned > turned, "it turned")
    assert source.receives == receives
    released.set()
    consumer.drain(PATIENCE_SECONDS)


def test_a_drain_finishes_what_runs_and_gives_back_what_does_not() -> None:
    source = FakeQueue(names=_names(12))
    released = threading.Event()

    def wait(_: str) -> Result:
        assert released.wait(PATIENCE_SECONDS)
        return DONE

    work = Work(source, wait)
    consumer = _started(source, work, threads=2)
    until(lambda: len(work.begun) == 2 and not source.visible(), "two run and ten wait")
    running = set(work.begun)
    thread, given_back = _drained_in_background(consumer)
    until(lambda: len(source.visible()) == 10, "ten are given back while two still run")
    assert source.visible() == set(_names(12)) - running
    released.set()
    thread.join(PATIENCE_SECONDS)
    assert given_back == [10]
    assert set(source.deleted) == running
    assert set(work.begun) == running


def test_a_drain_gives_back_what_is_still_running_at_its_deadline() -> None:
    source = FakeQueue(names=_names(2))
    released = threading.Event()

    def wait(_: str) -> Result:
        assert released.wait(PATIENCE_SECONDS)
        return DONE

    work = Work(source, wait)
    consumer = _started(source, work, threads=2)
    until(lambda: len(work.begun) == 2, "both run")
    assert consumer.drain(0.1) == 2
    assert source.visible() == set(_names(2))
    released.set()
    for handler in consumer._handlers:
        handler.join(PATIENCE_SECONDS)
    # Somebody else has them now, so the late end of this work may delete nothing.
    assert not source.deleted


def test_a_failure_at_the_end_of_a_drain_does_not_hide_a_message_that_was_given_back() -> None:
    source = FakeQueue(names=["one"])
    released = threading.Event()

    def wait(_: str) -> Result:
        assert released.wait(PATIENCE_SECONDS)
        return Outcome.RETRIED, 600.0

    work = Work(source, wait)
    consumer = _started(source, work, threads=1)
    until(lambda: work.begun, "it runs")
    assert consumer.drain(0.1) == 1
    released.set()
    for handler in consumer._handlers:
        handler.join(PATIENCE_SECONDS)
    # A long poll under way may have received it again meanwhile, and given it back again.
    assert {seconds for _, seconds in source.changes} == {0}


def test_what_a_late_long_poll_returns_is_given_back_and_counted() -> None:
    source = FakeQueue()
    work = Work(source)
    consumer = _started(source, work, wait=20)
    until(lambda: source.waiting, "a long poll is under way")
    thread, given_back = _drained_in_background(consumer)
    source.put("late", "later")
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert not work.begun
    assert source.visible() == {"late", "later"}
    assert sorted(source.changes) == [("late", 0), ("later", 0)]
    # `stopped` logs this number, and somebody compares it with what is in the queue.
    assert given_back == [2]


def test_a_drain_of_an_idle_consumer_ends_and_gives_nothing_back() -> None:
    source = FakeQueue()
    consumer = _started(source, Work(source), wait=0)
    assert consumer.drain(PATIENCE_SECONDS) == 0
    assert source.changes == []
    assert not any(thread.is_alive() for thread in (*consumer._handlers, consumer._receiver, consumer._deleter))


@pytest.mark.usefixtures("quick")
def test_a_drain_ends_also_when_nothing_can_be_given_back_or_deleted() -> None:
    source = FakeQueue(names=_names(20), faults=Faults(change=lambda: True, delete=lambda: True))
    released = threading.Event()

    def wait(name: str) -> Result:
        assert name.endswith("-0") or released.wait(PATIENCE_SECONDS)
        return DONE

    work = Work(source, wait)
    consumer = _started(source, work, threads=2)
    until(lambda: source.finished, "one is done and cannot be deleted")
    consumer.drain(0.3)
    released.set()
    assert not source.deleted


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_deleted_that_was_not_handled_and_nothing_is_lost(seed: int) -> None:
    """Random outcomes, failures and a drain at a random moment; then a second consumer finishes what is left."""
    chosen = random.Random(seed)
    names = _names(chosen.randint(1, 200))
    faults = Faults(
        receive=_some(chosen.choice([0, 0.3]), seed),
        delete=_some(chosen.choice([0, 0.3]), seed + 1),
        delete_entry=_some(chosen.choice([0, 0.3]), seed + 2),
        change=_some(chosen.choice([0, 0.3]), seed + 3),
        bury=_some(chosen.choice([0, 0.5]), seed + 4),
    )
    source = FakeQueue(names=names, faults=faults, dead_letters=chosen.random() < 0.5)
    outcomes: list[Result] = [DONE, DONE, DONE, (Outcome.RETRIED, 0.0), (Outcome.REJECTED, None)]
    lock = threading.Lock()

    def act(_: str) -> Result:
        with lock:
            pause, outcome = chosen.choice([0, 0, 0.001, 0.005]), chosen.choice(outcomes)
        time.sleep(pause)
        return outcome

    work = Work(source, act)
    enough = chosen.randint(0, len(names))
    consumer = _started(source, work, threads=chosen.randint(1, 8), wait=0)
    until(lambda: sum(work.begun.values()) >= enough, "the moment of the drain")
    consumer.drain(chosen.choice([0.0, 0.02, PATIENCE_SECONDS]))
    for handler in consumer._handlers:
        handler.join(PATIENCE_SECONDS)
    assert source.deleted_without_work == []
    assert set(source.stored) | set(source.deleted) == set(names)

    source.faults = Faults()
    with source.changed:
        for each in source.stored.values():
            # As time would make them.
            each.visible_at = 0.0
    second = _started(source, Work(source), wait=0)
    until(lambda: not source.stored, "the second consumer has finished the rest")
    second.drain(PATIENCE_SECONDS)
    assert source.deleted == Counter(names)
    assert source.deleted_without_work == []

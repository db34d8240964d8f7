"""A queue in memory with SQS's rules of visibility, which keeps a ledger, and fails when it is told to."""

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from baselib.worker.engine.batches import BATCH
from baselib.worker.engine.consumer import Consumer, Drained, Handle
from baselib.worker.engine.lease import LONGEST_HOLD_SECONDS, Lease
from baselib.worker.engine.outcome import DONE, Outcome, Verdict
from baselib.worker.engine.pool import Pool
from baselib.worker.engine.queue import Queue, Refused
from tests.baselib.processes import PATIENCE_SECONDS, until

# Longer than any test waits, so that what ends in a test did not end because of it.
FOR_EVER_SECONDS: Final = 600


class ThrottledError(Exception):
    """What AWS says when it is asked too much."""


@dataclass(slots=True)
class Stored:
    """A message in the queue."""

    name: str
    group: str | None = None
    received: int = 0
    received_at: float = 0.0
    visible_at: float = 0.0
    receipt: str = ""


def never() -> bool:
    """A fault that does not happen."""
    return False


@dataclass(slots=True)
class Faults:
    """What goes wrong; each is asked at every call, or for every entry of one."""

    receive: Callable[[], bool] = never
    delete: Callable[[], bool] = never
    delete_entry: Callable[[], bool] = never
    change: Callable[[], bool] = never
    change_entry: Callable[[], bool] = never
    bury: Callable[[], bool] = never


class DeadLetterClient:
    """What a boto3 client does for a dead-letter queue."""

    def __init__(self, source: "FakeQueue") -> None:
        self._source = source

    def get_queue_attributes(self, **_: object) -> dict[str, Any]:
        receives = self._source.receives_allowed
        if receives is None:
            return {}
        policy = {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:1:dead", "maxReceiveCount": receives}
        return {"Attributes": {"RedrivePolicy": json.dumps(policy)}}

    def get_queue_url(self, **_: object) -> dict[str, Any]:
        return {"QueueUrl": "http://127.0.0.1:9/1/dead"}

    def send_message(self, **copy: Any) -> dict[str, Any]:
        with self._source.changed:
            if self._source.faults.bury():
                raise ThrottledError("slow down")
            self._source.buried.append(copy["MessageBody"])
            self._source.finished.add(copy["MessageBody"])
        return {}


@dataclass(eq=False)
class FakeQueue(Queue):
    """A queue in memory.

    A message's id and body are its name; in a FIFO queue its group is what is before the first slash.
    """

    names: Sequence[str] = ()
    fifo: bool = False
    receives_allowed: int | None = None
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.client = DeadLetterClient(self)
        self.url = "http://127.0.0.1:9/1/fake"
        self.changed = threading.Condition()
        self.stored: dict[str, Stored] = {}
        self.deleted: Counter[str] = Counter()
        self.buried: list[str] = []
        self.changes: list[tuple[str, int]] = []
        self.batches: dict[str, list[int]] = {"receive": [], "delete": [], "change": []}
        self.receives = 0
        self.waiting = 0
        self.finished: set[str] = set()
        self.deleted_without_work: list[str] = []
        self.put(*self.names)

    def receive(self, *, most: int, wait: int, visibility: int) -> list[dict[str, Any]]:
        assert 1 <= most <= BATCH
        assert 0 <= wait <= 20
        with self.changed:
            self.receives += 1
            if self.faults.receive():
                raise ThrottledError("slow down")
            deadline = time.monotonic() + wait
            self.waiting += 1
            while not (found := self._receivable()[:most]) and (left := deadline - time.monotonic()) > 0:
                self.changed.wait(min(left, 0.05))
            self.waiting -= 1
            self.batches["receive"].append(len(found))
            return [self._received(each, visibility) for each in found]

    def delete(self, leases: Sequence[Lease]) -> Refused:
        assert 1 <= len(leases) <= BATCH
        with self.changed:
            self.batches["delete"].append(len(leases))
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
            return Refused(failed, [])

    def change(self, changes: Iterable[tuple[Lease, int]]) -> Refused:
        changes = list(changes)
        assert 1 <= len(changes) <= BATCH
        refused = Refused([], [])
        with self.changed:
            self.batches["change"].append(len(changes))
            if self.faults.change():
                raise ThrottledError("slow down")
            now = time.monotonic()
            for lease, seconds in changes:
                assert isinstance(seconds, int)
                name = lease.raw["MessageId"]
                stored = self.stored.get(name)
                if self.faults.change_entry():
                    refused.again.append(lease)
                elif (
                    stored is None
                    or stored.receipt != lease.receipt
                    or stored.visible_at <= now
                    or now + seconds > stored.received_at + LONGEST_HOLD_SECONDS
                ):
                    refused.lost.append(lease)
                else:
                    self.changes.append((name, seconds))
                    stored.visible_at = now + seconds
            self.changed.notify_all()
            return refused

    def put(self, *names: str) -> None:
        """Send messages."""
        with self.changed:
            for name in names:
                self.stored[name] = Stored(name, name.partition("/")[0] if self.fifo else None)
            self.changed.notify_all()

    def visible(self) -> set[str]:
        """What is not held by anybody."""
        with self.changed:
            now = time.monotonic()
            return {each.name for each in self.stored.values() if each.visible_at <= now}

    def held(self) -> int:
        """How many messages are with somebody."""
        with self.changed:
            return len(self.stored) - len(self.visible())

    def expire(self) -> None:
        """Let every time-out be over."""
        with self.changed:
            for each in self.stored.values():
                each.visible_at = 0.0
            self.changed.notify_all()

    def _receivable(self) -> list[Stored]:
        now = time.monotonic()
        if not self.fifo:
            return [each for each in self.stored.values() if each.visible_at <= now]
        blocked = {each.group for each in self.stored.values() if each.visible_at > now}
        return [each for each in self.stored.values() if each.group not in blocked]

    def _received(self, each: Stored, visibility: int) -> dict[str, Any]:
        each.received += 1
        each.received_at = time.monotonic()
        each.visible_at = each.received_at + visibility
        each.receipt = f"{each.name}#{each.received}"
        attributes = {"ApproximateReceiveCount": str(each.received)}
        if each.group is not None:
            attributes["MessageGroupId"] = each.group
        return {"MessageId": each.name, "ReceiptHandle": each.receipt, "Body": each.name, "Attributes": attributes}


class Work:
    """A handler that keeps a ledger, and does what it was told for each message.

    Args:
        source: The queue, which is told what was worked through.
        act: Does the work and says what shall become of the message.
    """

    def __init__(self, source: FakeQueue, act: Callable[[str], Verdict] = lambda _: DONE) -> None:
        self._source = source
        self._act = act
        self._lock = threading.Lock()
        self.begun: Counter[str] = Counter()
        self.order: list[str] = []
        self.leases: list[Lease] = []
        self.calls: list[int] = []

    def __call__(self, leases: Sequence[Lease]) -> list[Verdict]:
        with self._lock:
            self.calls.append(len(leases))
            self.leases += leases
        return [self._one(lease.raw["MessageId"]) for lease in leases]

    def _one(self, name: str) -> Verdict:
        with self._lock:
            self.begun[name] += 1
            self.order.append(name)
        verdict = self._act(name)
        if verdict.outcome is Outcome.DONE:
            self._source.finished.add(name)
        return verdict


class Gate:
    """Work that waits until it is let through."""

    def __init__(self, verdict: Verdict = DONE) -> None:
        self._open = threading.Event()
        self._verdict = verdict

    def __call__(self, _: str) -> Verdict:
        assert self._open.wait(PATIENCE_SECONDS)
        return self._verdict

    def open(self) -> None:
        self._open.set()


@contextlib.contextmanager
def working(pool: Pool) -> Iterator[list[threading.Thread]]:
    """The threads of a pool, which end afterwards."""
    before = set(threading.enumerate())
    pool.start()
    threads = [each for each in threading.enumerate() if each not in before and each.name.startswith("handle-")]
    assert len(threads) == pool.threads
    try:
        yield threads
    finally:
        pool.close()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


@contextlib.contextmanager
def consuming(
    source: FakeQueue, work: Handle, *, threads: int = 4, pace: float | None = None, **more: Any
) -> Iterator[Consumer]:
    """A consumer with a pool of its own, drained at the end if the test has not done it.

    Args:
        source: The queue.
        work: The handler.
        threads: How many threads.
        pace: How long a message seems to take, from which follows how many are held ahead.
        more: More arguments of the consumer.
    """
    pool = Pool(threads)
    consumer = Consumer(source, "main", work, pool, **{"visibility": 60, "wait": 1, **more})
    if pace is not None:
        consumer._pace.note(pace)
    with working(pool):
        consumer.start()
        try:
            yield consumer
        finally:
            if not consumer._receiver.stopping:
                consumer.drain(PATIENCE_SECONDS)


class Draining:
    """A drain in another thread, which has begun."""

    def __init__(self, consumer: Consumer, seconds: float = PATIENCE_SECONDS) -> None:
        self._found: list[Drained] = []
        self._thread = threading.Thread(target=lambda: self._found.append(consumer.drain(seconds)))
        self._thread.start()
        until(lambda: consumer._receiver.stopping, "the drain begins")

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> Drained:
        self._thread.join(PATIENCE_SECONDS)
        (drained,) = self._found
        return drained


def some(chance: float, seed: int) -> Callable[[], bool]:
    """A fault that happens by chance."""
    chosen = random.Random(seed)
    return lambda: chosen.random() < chance


def names(count: int) -> list[str]:
    """So many different names."""
    return [f"message-{number}" for number in range(count)]


RETRIED: Final = Verdict(Outcome.RETRIED)
REJECTED: Final = Verdict(Outcome.REJECTED, None, "never")


def retried(delay: Any) -> Verdict:
    """The verdict of a handler that said when."""
    return Verdict(Outcome.RETRIED, delay, "later")

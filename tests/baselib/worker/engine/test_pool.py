"""The threads, and how queues share them."""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from baselib.worker.engine import pool as pool_module
from baselib.worker.engine.lease import Lease
from baselib.worker.engine.line import GroupedLine, Line, StandardLine
from baselib.worker.engine.pace import Pace
from baselib.worker.engine.pool import Pool, Share
from tests.baselib.processes import PATIENCE_SECONDS, until


def _leases(count: int, group: str | None = None) -> list[Lease]:
    attributes = {} if group is None else {"MessageGroupId": group}
    return [Lease({"MessageId": str(number), "Attributes": attributes}, 0.0, 60.0) for number in range(count)]


class _Queue:
    """A queue's share, with a ledger of what was begun with."""

    def __init__(self, name: str, ledger: list[str], *, weight: float = 1.0, line: Line | None = None) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self._name, self._ledger = name, ledger
        self.pace = Pace()
        self.share = Share(StandardLine() if line is None else line, self.pace, self._handle, weight)

    def _handle(self, leases: Sequence[Lease]) -> None:
        self._ledger.extend(self._name for _ in leases)
        assert self.gate.wait(PATIENCE_SECONDS)


@contextlib.contextmanager
def _pool(threads: int, *queues: _Queue) -> Iterator[Pool]:
    pool = Pool(threads)
    for queue in queues:
        pool.attach(queue.share)
    try:
        yield pool
    finally:
        for queue in queues:
            queue.gate.set()
        pool.close()
        until(lambda: not any(each.name.startswith("handle-") for each in threading.enumerate()), "the threads end")


@pytest.mark.parametrize("weight", [1.0, 3.0, 0.5])
def test_full_queues_are_served_by_their_weights(weight: float) -> None:
    ledger: list[str] = []
    heavy, light = _Queue("heavy", ledger, weight=weight), _Queue("light", ledger)
    with _pool(1, heavy, light) as pool:
        pool.offer(heavy.share, _leases(1000))
        pool.offer(light.share, _leases(1000))
        pool.start()
        until(lambda: len(ledger) >= 400, "many have begun")
    begun = Counter(ledger[:400])
    assert begun["heavy"] / begun["light"] == pytest.approx(weight, rel=0.1)


def test_a_queue_that_had_nothing_gets_no_credit_for_it() -> None:
    ledger: list[str] = []
    busy, idle = _Queue("busy", ledger), _Queue("idle", ledger)
    with _pool(1, busy, idle) as pool:
        pool.offer(busy.share, _leases(500))
        pool.start()
        until(lambda: len(ledger) == 500, "one queue was served alone")
        busy.gate.clear()
        # A thread is held, so that the rest is offered at one moment.
        pool.offer(busy.share, _leases(101))
        until(lambda: len(ledger) == 501, "a thread is held")
        pool.offer(idle.share, _leases(100))
        busy.gate.set()
        until(lambda: len(ledger) == 701, "all are served")
    assert Counter(ledger[501:541])["idle"] == pytest.approx(20, abs=1)


def test_a_queue_with_hung_handlers_leaves_threads_to_the_others() -> None:
    ledger: list[str] = []
    hung, other = _Queue("hung", ledger), _Queue("other", ledger)
    hung.gate.clear()
    with _pool(3, hung, other) as pool:
        pool.start()
        pool.offer(hung.share, _leases(2))
        until(lambda: ledger.count("hung") == 2, "they hang")
        pool.offer(other.share, _leases(50))
        until(lambda: ledger.count("other") == 50, "the others are handled")


def test_a_slow_message_among_fast_ones_holds_nobody_up_while_threads_are_idle() -> None:
    ledger: list[str] = []
    queue = _Queue("main", ledger)
    # As fast as this, one thread is woken for all of them.
    queue.pace.note(0.00001)
    queue.gate.clear()
    with _pool(4, queue) as pool:
        pool.start()
        until(lambda: pool._idle == 4, "the threads are idle")
        pool.offer(queue.share, _leases(4))
        until(lambda: len(ledger) == 4, "each has got a thread")


def test_a_thread_is_not_woken_for_what_another_does_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Standing by, a thread would take its part; here it comes too late.
    monkeypatch.setattr(pool_module, "_STANDBY_SECONDS", 0.5)
    threads: set[int] = set()
    done: list[int] = []

    def handle(leases: Sequence[Lease]) -> None:
        threads.add(threading.get_ident())
        done.extend(1 for _ in leases)

    pace = Pace()
    pace.note(0.00001)
    share = Share(StandardLine(), pace, handle)
    pool = Pool(4)
    pool.attach(share)
    pool.start()
    until(lambda: pool._idle == 4, "the threads are idle")
    pool.offer(share, _leases(100))
    until(lambda: len(done) == 100, "all are handled")
    assert len(threads) == 1
    pool.close()


def test_a_batch_is_taken_at_once() -> None:
    sizes: list[int] = []
    share = Share(StandardLine(), Pace(), lambda leases: sizes.append(len(leases)), batch=25)
    pool = Pool(1)
    pool.attach(share)
    pool.offer(share, _leases(60))
    pool.start()
    until(lambda: sum(sizes) == 60, "all are handled")
    assert sizes == [25, 25, 10]
    pool.close()


def test_of_a_queue_that_was_withdrawn_nothing_is_begun() -> None:
    ledger: list[str] = []
    gone, other = _Queue("gone", ledger), _Queue("other", ledger)
    with _pool(1, gone, other) as pool:
        pool.offer(gone.share, _leases(5))
        pool.offer(other.share, _leases(5))
        pool.withdraw(gone.share)
        pool.start()
        until(lambda: len(ledger) == 5, "the other is served")
    assert set(ledger) == {"other"}


def test_the_next_of_a_group_wakes_an_idle_thread() -> None:
    ledger: list[str] = []
    queue, other = _Queue("fifo", ledger, line=GroupedLine()), _Queue("other", ledger)
    first, second = _leases(2, "group")
    with _pool(2, queue, other) as pool:
        pool.offer(queue.share, [first, second])
        pool.start()
        until(lambda: ledger == ["fifo"] and pool._idle == 2, "the first is handled, and not yet told")
        assert pool.finished(queue.share, first, in_order=True) == []
        until(lambda: ledger == ["fifo", "fifo"], "the second is handled")

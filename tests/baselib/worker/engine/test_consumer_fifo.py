"""A FIFO queue: the messages of a group in order, the groups beside each other."""

import threading
from collections import Counter, defaultdict
from collections.abc import Sequence

from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import DONE, Verdict
from tests.baselib.processes import until
from tests.baselib.worker.engine.fake_queue import FakeQueue, Gate, Work, consuming, retried


def _names(groups: int, count: int) -> list[str]:
    return [f"group-{number % groups}/{number}" for number in range(groups * count)]


def _by_group(order: list[str]) -> dict[str, list[int]]:
    found = defaultdict(list)
    for name in order:
        group, _, number = name.partition("/")
        found[group].append(int(number))
    return found


def test_each_group_is_handled_in_order() -> None:
    source = FakeQueue(names=_names(5, 60), fifo=True)
    work = Work(source)
    with consuming(source, work):
        until(lambda: not source.stored, "everything is deleted")
    for numbers in _by_group(work.order).values():
        assert numbers == sorted(numbers)
        assert len(numbers) == 60
    assert set(work.begun.values()) == {1}


def test_groups_run_beside_each_other_and_one_message_of_each() -> None:
    source = FakeQueue(names=_names(3, 3), fifo=True)
    gate = Gate()
    work = Work(source, gate)
    with consuming(source, work, threads=3, pace=0.2):
        until(lambda: len(work.begun) == 3, "three run")
        assert set(work.begun) == {"group-0/0", "group-1/1", "group-2/2"}
        gate.open()
        until(lambda: not source.stored, "everything is deleted")


def test_after_a_failure_nothing_of_its_group_is_handled_before_it() -> None:
    source = FakeQueue(names=_names(2, 20), fifo=True)
    lock = threading.Lock()
    failures = Counter({"group-0/4": 3, "group-0/10": 1, "group-1/7": 2})
    done: list[str] = []

    def act(name: str) -> Verdict:
        with lock:
            if failures[name] > 0:
                failures[name] -= 1
                return retried(0.0)
            done.append(name)
            return DONE

    work = Work(source, act)
    with consuming(source, work, pace=0.01):
        until(lambda: not source.stored, "everything is deleted")
    for numbers in _by_group(done).values():
        assert numbers == sorted(numbers)
        assert len(numbers) == 20
    assert work.begun["group-0/4"] == 4


def test_the_rest_of_the_group_is_given_back_in_order_after_the_one_that_failed() -> None:
    source = FakeQueue(names=[f"a/{number}" for number in range(5)] + ["b/0"], fifo=True)
    gate = Gate(retried(600.0))
    work = Work(source, lambda name: gate(name) if name == "a/0" else DONE)
    with consuming(source, work, threads=1, pace=0.01) as consumer:
        until(lambda: source.held() == 6 and work.begun, "everything is held")
        gate.open()
        until(lambda: len(source.changes) == 5 and source.deleted["b/0"], "the group is given back")
        assert consumer._room._taken <= 10
    assert source.changes == [("a/0", 600), ("a/1", 0), ("a/2", 0), ("a/3", 0), ("a/4", 0)]
    assert work.order == ["a/0", "b/0"]


def test_a_message_that_was_lost_lets_nothing_of_its_group_follow() -> None:
    source = FakeQueue(names=["a/0", "a/1"], fifo=True)
    gate = Gate()
    work = Work(source, gate)
    with consuming(source, work, threads=1, pace=0.01):
        until(lambda: source.held() == 2 and work.leases, "both are held")
        work.leases[0].lose()
        gate.open()
        until(lambda: source.changes, "the second is given back")
    assert source.changes[0] == ("a/1", 0)


def test_a_batch_has_a_group_in_order_and_no_other_call_has_the_same_group() -> None:
    source = FakeQueue(names=_names(4, 50), fifo=True)
    lock = threading.Lock()
    at_work: dict[str, int] = {}
    clashes: list[str] = []

    def act(name: str) -> Verdict:
        group, me = name.partition("/")[0], threading.get_ident()
        with lock:
            if at_work.setdefault(group, me) != me:
                clashes.append(name)
        return DONE

    inner = Work(source, act)

    def handle(leases: Sequence[Lease]) -> list[Verdict]:
        verdicts = inner(leases)
        with lock:
            for lease in leases:
                at_work.pop(str(lease.group), None)
        return verdicts

    with consuming(source, handle, batch=7):
        until(lambda: not source.stored, "everything is deleted")
    assert clashes == []
    assert max(inner.calls) > 1
    for numbers in _by_group(inner.order).values():
        assert numbers == sorted(numbers)

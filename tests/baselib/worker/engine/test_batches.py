"""What comes one by one leaves in batches of ten."""

import threading

from baselib.worker.engine.batches import Batches
from tests.baselib.processes import PATIENCE_SECONDS, until
from tests.baselib.worker.engine.fake_queue import FOR_EVER_SECONDS


def _getting(batches: Batches[int]) -> tuple[threading.Thread, list[list[int]]]:
    found: list[list[int]] = []
    thread = threading.Thread(target=lambda: found.append(batches.get(None)), daemon=True)
    thread.start()
    return thread, found


def test_a_full_batch_leaves_at_once() -> None:
    batches = Batches[int](FOR_EVER_SECONDS)
    _, found = _getting(batches)
    for number in range(11):
        batches.put(number)
    until(lambda: found, "it does not wait for more")
    assert found == [list(range(10))]
    assert len(batches) == 1


def test_a_first_one_waits_for_more_but_not_for_ever() -> None:
    batches = Batches[int](0.01)
    batches.put(1)
    assert batches.get(None) == [1]


def test_there_is_nothing_after_the_time_out() -> None:
    assert Batches[int](FOR_EVER_SECONDS).get(0.01) == []


def test_what_is_put_back_comes_first_and_in_its_order() -> None:
    batches = Batches[int](0.0)
    batches.put_all([1, 2, 3, 4])
    batches.put_back(batches.get(None)[:2])
    batches.put(9)
    assert batches.get(None) == [1, 2, 9]


def test_in_a_hurry_nobody_waits() -> None:
    batches = Batches[int](FOR_EVER_SECONDS)
    first, nothing = _getting(batches)
    batches.hurry()
    until(lambda: not first.is_alive(), "who waits for a first one goes on")
    assert nothing == [[]]
    batches.put(1)
    assert batches.get(None) == [1]


def test_a_hurry_ends_the_wait_for_a_full_batch() -> None:
    batches = Batches[int](FOR_EVER_SECONDS)
    batches.put(1)
    _, found = _getting(batches)
    batches.hurry()
    until(lambda: found == [[1]], "it leaves alone")


def test_two_threads_take_each_thing_once() -> None:
    batches = Batches[int](0.001)
    taken: list[int] = []

    def take() -> None:
        while batch := batches.get(None):
            taken.extend(batch)

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(2000):
        batches.put(number)
    until(lambda: len(taken) >= 2000, "all are taken")
    batches.hurry()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(2000))


def test_a_caller_that_helps_itself_gets_full_batches_only_and_wakes_nobody_for_them() -> None:
    batches = Batches[int](FOR_EVER_SECONDS)
    thread, found = _getting(batches)
    for number in range(9):
        batches.put_quietly(number)
    assert batches.full() == []
    batches.put_quietly(9)
    assert batches.full() == list(range(10))
    assert found == []
    # Who was called for the first of those still waits for others, and leaves with them.
    batches.put(10)
    batches.hurry()
    thread.join(PATIENCE_SECONDS)
    assert found == [[10]]


def test_whoever_puts_and_takes_at_the_same_time_everything_leaves_once() -> None:
    batches, count = Batches[int](0.001), 20_000
    taken: list[int] = []

    def get() -> None:
        while len(taken) < count:
            taken.extend(batches.get(0.1))

    def put(first: int) -> None:
        for number in range(first, count, 4):
            if number % 3:
                batches.put_quietly(number)
                taken.extend(batches.full())
            else:
                batches.put(number)

    threads = [threading.Thread(target=get) for _ in range(2)]
    threads += [threading.Thread(target=put, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert sorted(taken) == list(range(count))


def test_one_that_comes_while_nobody_is_there_is_not_forgotten() -> None:
    batches = Batches[int](0.01)
    # The first call is for nobody, and its message is taken by somebody else.
    for number in range(10):
        batches.put_quietly(number)
    assert len(batches.full()) == 10
    _, found = _getting(batches)
    batches.put_quietly(99)
    until(lambda: found == [[99]], "it is not left to a thread that was never there")

"""What a process holds."""

import threading

from baselib.worker.lease import Lease, Leases


def _lease(name: str, until: float = 0.0) -> Lease:
    return Lease({"ReceiptHandle": name}, until)


def test_two_leases_of_the_same_message_are_two() -> None:
    leases = Leases()
    first, second = _lease("a"), _lease("a")
    leases.add([first, second])
    assert leases.drop(first)
    assert leases.take_all() == [second]


def test_a_lease_is_dropped_once() -> None:
    leases = Leases()
    lease = _lease("a")
    leases.add([lease])
    assert leases.drop(lease)
    assert not leases.drop(lease)


def test_of_many_threads_that_drop_a_lease_one_has_dropped_it() -> None:
    leases = Leases()
    held = [_lease(str(number)) for number in range(500)]
    leases.add(held)
    dropped: list[Lease] = []
    threads = [
        threading.Thread(target=lambda: dropped.extend(each for each in held if leases.drop(each))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(dropped) == 500
    assert leases.take_all() == []


def test_what_a_drain_has_taken_is_not_begun_and_what_has_begun_is_not_taken() -> None:
    leases = Leases()
    begun, waiting = _lease("a"), _lease("b")
    leases.add([begun, waiting])
    assert leases.begin(begun)
    assert leases.take_waiting() == [waiting]
    assert not leases.begin(waiting)
    assert leases.take_all() == [begun]


def test_due_is_what_ends_before_the_moment() -> None:
    leases = Leases()
    early, late = _lease("a", 1.0), _lease("b", 2.0)
    leases.add([early, late])
    assert leases.due(1.5) == [early]
    assert leases.due(1.0) == []

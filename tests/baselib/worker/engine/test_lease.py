"""What a process holds."""

import threading
import time

from baselib.worker.engine.lease import LONGEST_HOLD_SECONDS, Lease, Leases


def _lease(name: str = "a", *, received: float = 0.0, visibility: float = 60.0) -> Lease:
    return Lease({"ReceiptHandle": name}, received, visibility)


def test_two_leases_of_the_same_message_are_two() -> None:
    leases = Leases()
    first, second = _lease(), _lease()
    leases.add([first, second])
    leases.drop([first])
    assert leases.take_unhandled() == [second]


def test_a_message_is_lost_when_its_time_is_over_and_when_sqs_says_so() -> None:
    now = time.monotonic()
    assert _lease(received=now - 61).lost
    lease = _lease(received=now)
    assert not lease.lost
    lease.lose()
    assert lease.lost
    assert not lease.extendable


def test_a_message_can_be_held_for_twelve_hours_from_its_receipt() -> None:
    lease = _lease(received=100.0)
    assert lease.extendable
    lease.until = 100.0 + LONGEST_HOLD_SECONDS
    assert not lease.extendable


def test_the_nearest_deadline_counts() -> None:
    lease = _lease()
    for moment, expected in ((50.0, 50.0), (70.0, 50.0), (20.0, 20.0)):
        lease.finish_by(moment)
        assert lease.deadline == expected


def test_what_a_drain_has_taken_is_not_begun_and_what_has_begun_is_not_taken() -> None:
    leases = Leases()
    begun, waiting = _lease("a"), _lease("b")
    leases.add([begun, waiting])
    assert leases.begin(begun)
    assert begun.thread == threading.get_ident()
    assert leases.close() == [waiting]
    assert not leases.begin(waiting)
    assert leases.take_unhandled() == [begun]
    assert len(leases) == 0


def test_what_is_handled_is_not_taken_but_still_held() -> None:
    leases = Leases()
    lease = _lease()
    leases.add([lease])
    assert leases.begin(lease)
    lease.handled = True
    assert leases.take_unhandled() == leases.close() == []
    assert len(leases) == 1


def test_due_is_what_ends_before_the_moment_and_nobody_is_at() -> None:
    leases = Leases()
    early, late, lost, busy = (_lease(str(number), visibility=number) for number in (10, 20, 11, 12))
    lost.lose()
    leases.add([early, late, lost, busy])
    leases.claim([busy])
    assert leases.claim_held(leases.due(10.0)) == []
    assert leases.claim_held(leases.due(15.0)) == [early]
    assert leases.claim_held(leases.due(15.0)) == []
    leases.release([early, busy])
    assert set(leases.claim_held(leases.due(15.0))) == {early, busy}


def test_of_two_calls_about_a_message_one_has_to_wait() -> None:
    leases = Leases()
    first, second = _lease("a"), _lease("b")
    assert leases.claim([first]) == ([first], [])
    assert leases.claim([first, second]) == ([second], [first])
    leases.release([first])
    assert leases.claim([first, second]) == ([first], [second])


def test_of_many_threads_that_begin_with_what_a_drain_takes_none_begins_twice() -> None:
    leases = Leases()
    held = [_lease(str(number)) for number in range(500)]
    leases.add(held)
    begun: list[Lease] = []
    taken: list[Lease] = []
    threads = [threading.Thread(target=lambda: begun.extend(each for each in held if leases.begin(each)))]
    threads.append(threading.Thread(target=lambda: taken.extend(leases.close())))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(begun) | set(taken) == set(held)
    assert not set(begun) & set(taken)


def test_after_the_close_nothing_is_held_and_begun_any_more() -> None:
    leases = Leases()
    assert leases.add([_lease()])
    leases.close()
    late = _lease()
    assert not leases.add([late])
    assert not leases.begin(late)
    assert len(leases) == 0

"""Places for calls in flight."""

import pytest

from baselib.http.bulkhead import Bulkhead, places_for


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (16, 12), (256, 192)])
def test_a_thread_is_left_for_what_does_not_need_the_dependency(threads: int, places: int) -> None:
    assert places_for(threads) == places


def test_a_place_is_free_again_when_it_is_left() -> None:
    bulkhead = Bulkhead(2)
    assert [bulkhead.enter(0) for _ in range(3)] == [True, True, False]
    bulkhead.leave()
    assert [bulkhead.enter(-1) for _ in range(2)] == [True, False]


def test_it_is_empty_after_a_fork() -> None:
    bulkhead = Bulkhead(1)
    bulkhead.enter(0)
    bulkhead.after_fork()
    assert bulkhead.enter(0)

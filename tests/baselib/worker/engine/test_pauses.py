"""Pauses grow, differ, and end."""

import pytest

from baselib.worker.engine.pauses import Pauses, retry_delay


def test_pauses_grow_up_to_the_longest_and_begin_again_after_a_success() -> None:
    pauses = Pauses(1.0, 5.0)
    for longest in (1.0, 2.0, 4.0, 5.0, 5.0):
        assert longest / 2 <= pauses.after_failure() <= longest
    pauses.after_success()
    assert pauses.after_failure() <= 1.0


def test_pauses_can_go_on_for_ever() -> None:
    pauses = Pauses(1.0, 5.0)
    assert all(pauses.after_failure() <= 5.0 for _ in range(5000))


@pytest.mark.parametrize(
    ("received", "longest"), [(1, 5), (2, 10), (3, 20), (5, 80), (8, 640), (9, 900), (50, 900), (10_000, 900)]
)
def test_the_back_off_grows_with_each_receive_is_jittered_and_ends(received: int, longest: int) -> None:
    delays = {retry_delay(received) for _ in range(200)}
    assert min(delays) >= longest / 2
    assert max(delays) <= longest
    assert len(delays) > 100
    # Not all in one half of what is possible.
    assert max(delays) - min(delays) > longest / 4

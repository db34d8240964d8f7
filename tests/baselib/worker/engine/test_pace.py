"""How many messages are held ahead, and how many threads they are worth."""

import pytest

from baselib.worker.engine.pace import Pace


def _pace(*seconds: float) -> Pace:
    pace = Pace()
    for each in seconds:
        pace.note(each)
    return pace


def test_nothing_is_held_ahead_before_it_is_known_how_long_it_takes() -> None:
    assert Pace().ahead(4) == 0
    assert Pace().threads_for(7) == 7


@pytest.mark.parametrize(
    ("seconds", "ahead"), [(0.0, 20), (0.0001, 20), (0.5, 8), (2.0, 2), (4.0, 1), (4.1, 0), (1e4, 0)]
)
def test_the_longer_a_message_takes_the_fewer_are_held_ahead(seconds: float, ahead: int) -> None:
    assert _pace(seconds).ahead(4) == ahead


@pytest.mark.parametrize(
    ("seconds", "threads"), [(0.0, 1), (0.00001, 1), (0.0002, 1), (0.001, 5), (0.01, 10), (60.0, 10)]
)
def test_short_messages_are_not_worth_a_thread_each(seconds: float, threads: int) -> None:
    assert _pace(seconds).threads_for(10) == threads


def test_it_follows_what_was_seen_last() -> None:
    pace = _pace(0.001, *[10.0] * 30)
    assert pace.ahead(4) == 0
    for _ in range(60):
        pace.note(0.001)
    assert pace.ahead(4) == 20

"""How many messages may be received."""

import threading

from baselib.worker.engine.pace import Pace
from baselib.worker.engine.room import Room
from tests.baselib.processes import until
from tests.baselib.worker.engine.fake_queue import FOR_EVER_SECONDS


def _room(threads: int, *, batch: int = 1, seconds: float | None = None, undeleted: int = 0) -> Room:
    pace = Pace()
    if seconds is not None:
        pace.note(seconds)
    return Room(threads, batch, pace, lambda: undeleted)


def _taken(room: Room) -> int:
    taken = 0
    while places := room.take(0.0):
        taken += places
    return taken


def test_without_a_known_pace_only_what_is_worked_on_is_held() -> None:
    assert _taken(_room(3)) == 3
    assert _taken(_room(3, batch=10)) == 30


def test_of_short_messages_some_more_are_held_and_of_long_ones_none() -> None:
    assert _taken(_room(4, seconds=0.0001)) == 20
    assert _taken(_room(4, seconds=2.0)) == 4 + 2
    assert _taken(_room(4, seconds=60.0)) == 4


def test_a_receive_brings_ten_at_most() -> None:
    assert _room(50).take(0.0) == 10


def test_while_there_is_enough_at_hand_a_receive_waits_until_it_can_bring_ten() -> None:
    room = _room(4, seconds=0.0001)
    taken = _taken(room)
    room.give_back(5)
    assert room.take(0.0) == 0
    room.give_back(1)
    assert taken == 20
    assert room.take(0.0) == 10


def test_a_place_that_is_given_back_ends_the_wait() -> None:
    room = _room(1)
    assert room.take(0.0) == 1
    found: list[int] = []
    waiting = threading.Thread(target=lambda: found.append(room.take(FOR_EVER_SECONDS)), daemon=True)
    waiting.start()
    until(lambda: room._wanted, "it waits")
    room.give_back(1)
    until(lambda: found, "it goes on")
    assert found == [1]


def test_nothing_is_received_while_too_much_cannot_be_deleted() -> None:
    assert _room(4, undeleted=499).take(0.0) == 4
    assert _room(4, undeleted=500).take(0.0) == 0

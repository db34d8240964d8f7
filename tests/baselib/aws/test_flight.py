"""One fetch for all who want the same: its outcome is theirs, but not its lack of time."""

import threading

import pytest

from baselib.aws.deadlines import DeadlineExceededError
from baselib.aws.flight import Flight, LeaderGaveUpError


def _led(error: BaseException | None) -> "Flight[str]":
    flight: Flight[str] = Flight()

    def fetch() -> str:
        if error is not None:
            raise error
        return "found"

    def lead() -> None:
        if error is None:
            assert flight.carry_out(fetch) == "found"
        else:
            with pytest.raises(type(error)):
                flight.carry_out(fetch)

    leader = threading.Thread(target=lead)
    leader.start()
    leader.join(30)
    return flight


def test_what_was_found_is_everybodys() -> None:
    assert _led(None).wait("it") == "found"


def test_what_went_wrong_is_everybodys() -> None:
    with pytest.raises(OSError, match="gone"):
        _led(OSError("gone")).wait("it")


@pytest.mark.parametrize("error", [DeadlineExceededError("no time"), KeyboardInterrupt(), SystemExit(1)])
def test_a_leader_without_time_leaves_it_to_the_others(error: BaseException) -> None:
    with pytest.raises(LeaderGaveUpError):
        _led(error).wait("it")

"""The phase of life: only forward, and shared with forked children."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.lifecycle import LIFE, Life, Phase


def test_a_life_begins_at_the_beginning() -> None:
    assert Life().phase is Phase.STARTING
    assert not Life().draining


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(list(Phase)), max_size=8))
def test_a_life_only_goes_forward(phases: list[Phase]) -> None:
    life, latest = Life(), Phase.STARTING
    for phase in phases:
        assert life.advance(phase) == (phase > latest)
        latest = max(latest, phase)
        assert life.phase is latest
        assert life.draining == (latest >= Phase.DRAINING)


# From Python 3.12 on a fork beside threads warns; that it works all the same is what is tested.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_one_process_says_its_forks_know_in_both_directions() -> None:
    life = Life()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.read(read, 1)
            seen = life.phase
            life.advance(Phase.STOPPED)
            os._exit(int(seen))
        finally:
            os._exit(99)
    life.advance(Phase.DRAINING)
    os.write(write, b"x")
    _, status = os.waitpid(child, 0)
    os.close(read)
    os.close(write)
    assert os.waitstatus_to_exitcode(status) == Phase.DRAINING
    assert life.phase is Phase.STOPPED


def test_there_is_one_life_of_the_process() -> None:
    assert isinstance(LIFE, Life)
    assert LIFE.started > 0

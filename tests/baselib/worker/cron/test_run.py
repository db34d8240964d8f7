"""Which calls a run makes: nothing left out, nothing covered twice, the oldest first."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselib.worker.cron.run import CatchUp, Run, runs_due

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
HOUR = 3600.0


def _ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


@pytest.mark.parametrize("catch_up", ["skip", "window", "each"])
def test_the_first_run_covers_the_last_period(catch_up: CatchUp) -> None:
    assert runs_due(NOW, None, catch_up, every=HOUR, most=3) == ([Run(_ago(1), NOW)], 0)


@pytest.mark.parametrize("catch_up", ["skip", "window"])
def test_without_a_period_the_first_run_knows_no_beginning(catch_up: CatchUp) -> None:
    assert runs_due(NOW, None, catch_up, every=None, most=3) == ([Run(None, NOW)], 0)


def test_missed_periods_may_be_skipped() -> None:
    assert runs_due(NOW, _ago(5), "skip", every=HOUR, most=3) == ([Run(_ago(1), NOW)], 0)


def test_one_call_may_cover_what_was_missed() -> None:
    assert runs_due(NOW, _ago(5), "window", every=None, most=3) == ([Run(_ago(5), NOW)], 0)


def test_each_missed_period_may_have_its_call() -> None:
    expected = [Run(_ago(3), _ago(2)), Run(_ago(2), _ago(1)), Run(_ago(1), NOW)]
    assert runs_due(NOW, _ago(3), "each", every=HOUR, most=3) == (expected, 0)


@pytest.mark.parametrize("late", [-60, 60])
def test_a_scheduler_need_not_be_punctual(late: int) -> None:
    covered = _ago(3) + timedelta(seconds=late)
    runs, left = runs_due(NOW, covered, "each", every=HOUR, most=9)
    assert [run.until for run in runs] == [covered + timedelta(hours=1), covered + timedelta(hours=2), NOW]
    assert left == 0


def test_more_missed_periods_than_one_run_may_make_up_for_are_left_to_the_next() -> None:
    expected = [Run(_ago(5), _ago(4)), Run(_ago(4), _ago(3)), Run(_ago(3), _ago(2))]
    assert runs_due(NOW, _ago(5), "each", every=HOUR, most=3) == (expected, 2)


@pytest.mark.parametrize("catch_up", ["window", "each"])
@pytest.mark.parametrize("hours", [0, -1])
def test_what_is_covered_already_needs_no_call(catch_up: CatchUp, hours: float) -> None:
    assert runs_due(NOW, _ago(hours), catch_up, every=HOUR, most=3) == ([], 0)


@given(seconds=st.floats(0.001, 1e7), every=st.floats(1, 1e6), most=st.integers(1, 50))
def test_calls_follow_each_other_without_a_gap(seconds: float, every: float, most: int) -> None:
    covered = NOW - timedelta(seconds=seconds)
    if covered == NOW:
        return
    runs, left = runs_due(NOW, covered, "each", every=every, most=most)
    assert runs[0].since == covered
    assert all(before.until == after.since for before, after in pairwise(runs))
    assert all(run.since is not None and run.since < run.until for run in runs)
    assert len(runs) <= most
    assert (runs[-1].until == NOW) == (left == 0)

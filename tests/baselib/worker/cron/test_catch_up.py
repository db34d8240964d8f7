"""What was missed is made up for, only a success is remembered, and no scheduled time is done twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baselib.lifecycle import Life
from baselib.service import Service
from baselib.testing import CapturedLogs, EmbeddedAws
from baselib.worker.cron import Job, Run, record
from tests.baselib.worker.cron.conftest import NIGHTLY

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def _at(hour: int) -> datetime:
    return BEGIN + timedelta(hours=hour)


class _Nightly:
    """A job on a table, and what it was called with."""

    def __init__(self, table: str, embedded_aws: EmbeddedAws, **more: Any) -> None:
        self.runs: list[Run] = []
        self.fail_at: int | None = None
        environ = {**NIGHTLY, **embedded_aws.environment, "COORDINATION_TABLE": table}
        self._job = Job(self._work, environ=environ, life=Life(), **more)

    def _work(self, _: Service, run: Run) -> None:
        self.runs.append(run)
        if run.until == (None if self.fail_at is None else _at(self.fail_at)):
            raise ValueError("no data")

    def run(self, hour: int) -> int:
        return self._job.run(_at(hour))

    @property
    def windows(self) -> list[tuple[datetime | None, datetime]]:
        return [(run.since, run.until) for run in self.runs]


def test_a_window_covers_what_a_failed_run_did_not(table: str, embedded_aws: EmbeddedAws) -> None:
    nightly = _Nightly(table, embedded_aws, catch_up="window")
    assert nightly.run(1) == 0
    nightly.fail_at = 2
    assert nightly.run(2) == 70
    assert nightly.run(3) == 0
    assert nightly.windows == [(None, _at(1)), (_at(1), _at(2)), (_at(1), _at(3))]


def test_each_period_is_called_and_remembered_on_its_own(table: str, embedded_aws: EmbeddedAws) -> None:
    nightly = _Nightly(table, embedded_aws, catch_up="each", every=3600)
    assert nightly.run(1) == 0
    nightly.fail_at = 3
    # The second hour was never run; it is made up for, although the third one fails.
    assert nightly.run(4) == 70
    nightly.fail_at = None
    assert nightly.run(5) == 0
    assert [run.until for run in nightly.runs] == [_at(1), _at(2), _at(3), _at(3), _at(4), _at(5)]


def test_what_one_run_does_not_reach_the_next_one_does(
    table: str, embedded_aws: EmbeddedAws, captured_logs: CapturedLogs
) -> None:
    nightly = _Nightly(table, embedded_aws, catch_up="each", every=3600, most=2)
    assert [nightly.run(hour) for hour in (1, 6, 7)] == [0, 0, 0]
    assert [run.until for run in nightly.runs] == [_at(1), _at(2), _at(3), _at(4), _at(5)]
    lines = captured_logs.with_message("more periods were missed than one run makes up for")
    assert [line["periods_left"] for line in lines] == [3, 2]


def test_missed_times_are_skipped_when_nothing_else_was_asked_for(table: str, embedded_aws: EmbeddedAws) -> None:
    nightly = _Nightly(table, embedded_aws, every=3600)
    assert [nightly.run(hour) for hour in (1, 6)] == [0, 0]
    assert nightly.windows == [(_at(0), _at(1)), (_at(5), _at(6))]


@pytest.mark.parametrize("catch_up", ["skip", "window"])
def test_a_time_that_the_scheduler_starts_twice_is_done_once(
    table: str, embedded_aws: EmbeddedAws, captured_logs: CapturedLogs, catch_up: str
) -> None:
    nightly = _Nightly(table, embedded_aws, catch_up=catch_up)
    assert [nightly.run(1), nightly.run(1)] == [0, 0]
    assert len(nightly.runs) == 1
    assert captured_logs.one("cron skipped")["reason"] == "done already"


def test_a_failed_time_may_be_started_again(table: str, embedded_aws: EmbeddedAws) -> None:
    nightly = _Nightly(table, embedded_aws)
    nightly.fail_at = 1
    assert nightly.run(1) == 70
    nightly.fail_at = None
    assert nightly.run(1) == 0


def test_tokens_grow(table: str, embedded_aws: EmbeddedAws) -> None:
    nightly = _Nightly(table, embedded_aws)
    assert [nightly.run(1), nightly.run(2)] == [0, 0]
    assert [run.token for run in nightly.runs] == [1, 2]


@pytest.mark.parametrize(("catch_up", "code"), [("skip", 0), ("window", 70)])
def test_what_cannot_be_remembered_fails_only_where_it_matters(
    table: str, embedded_aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, catch_up: str, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("reset")

    nightly = _Nightly(table, embedded_aws, catch_up=catch_up)
    monkeypatch.setattr(record, "change_item", refuse)
    assert nightly.run(1) == code


def test_an_older_success_does_not_replace_a_newer_one(table: str) -> None:
    memory = record.Record(table, "cron#a#b")
    assert memory.covered() is None
    assert memory.cover(_at(2))
    assert not memory.cover(_at(1))
    assert memory.covered() == _at(2)


def test_a_span_says_what_was_covered(table: str, embedded_aws: EmbeddedAws, captured_logs: CapturedLogs) -> None:
    nightly = _Nightly(table, embedded_aws, catch_up="each", every=3600)
    assert [nightly.run(1), nightly.run(3)] == [0, 0]
    last = captured_logs.with_message("cron finished")[-1]
    assert (last["since"], last["until"]) == (_at(1).isoformat(), _at(3).isoformat())
    assert last["fence"] == 2

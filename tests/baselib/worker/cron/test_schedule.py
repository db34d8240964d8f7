"""The scheduled time: what EventBridge Scheduler writes is understood, and nothing that could mean two things."""

from datetime import UTC, datetime, timedelta

import pytest

from baselib.contract import ConfigurationError
from baselib.worker.cron.schedule import parse_time, scheduled_time


def test_what_the_scheduler_writes_is_understood() -> None:
    # The example of https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    assert parse_time("2022-03-22T18:59:43Z") == datetime(2022, 3, 22, 18, 59, 43, tzinfo=UTC)


def test_a_time_of_another_offset_becomes_utc() -> None:
    moment = parse_time("2022-03-22T18:59:43+02:00")
    assert (moment.hour, moment.tzinfo) == (16, UTC)


@pytest.mark.parametrize("text", ["", "noon", "2022-03-22", "2022-03-22T18:59:43", "0001-01-01T00:00:00+23:59"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="with its offset from UTC"):
        parse_time(text)


def test_the_future_is_refused_as_far_as_clocks_agree() -> None:
    now = datetime.now(UTC)
    parse_time((now + timedelta(minutes=1)).isoformat())
    with pytest.raises(ValueError, match="in the future"):
        parse_time((now + timedelta(hours=1)).isoformat())


def test_the_variable_need_not_be_set() -> None:
    assert scheduled_time({}) is None
    assert scheduled_time({"SCHEDULED_TIME": ""}) is None


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(ConfigurationError, match="SCHEDULED_TIME: 'noon' is not a date and time"):
        scheduled_time({"SCHEDULED_TIME": "noon"})

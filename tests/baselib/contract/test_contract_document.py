"""contract.json and alarms.json are whole: what the modules and the template read from them makes sense."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from baselib.contract import CONTRACT
from baselib.contract import timing as budgets
from baselib.contract.endpoints import DEPENDENCIES, HEALTH_PORT, INFO, LIVE, READY, WEB_PORT

ALARMS: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[3] / "baselib/contract/alarms.json").read_text(encoding="utf-8")
)
SEVERITIES = {"emergency", "warning"}
SCHEDULE = re.compile(CONTRACT["answers"]["schedule"]["pattern"])

# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
ACCEPTED_SCHEDULES = [
    "cron(0 3 * * ? *)",
    "cron(0/15 * * * ? *)",
    "cron(*/5 * ? * MON-FRI *)",
    "cron(15 10 ? * 6L 2022-2023)",
    "cron(0 12 1,15 * ? *)",
    "cron(0 8 L * ? *)",
    "cron(0 8 LW * ? *)",
    "cron(0 8 3W * ? *)",
    "cron(0 8 ? * 2#1 *)",
    "cron(0 8 ? * TUE#3 *)",
    "cron(0 8 ? JAN,JUL SUN *)",
    "cron(0-30/10 9-17 ? 1-6 2-6 2030)",
    "cron(59 23 31 12 ? 2199)",
    "cron(00 08 01 01 ? 1970)",
    "rate(1 minute)",
    "rate(5 minutes)",
    "rate(1 hour)",
    "rate(24 hours)",
    "rate(1 day)",
    "rate(365 days)",
]
REFUSED_SCHEDULES = [
    "",
    "0 3 * * *",
    "cron(0 3 * * *)",
    "cron(0 3 * * * *)",
    "cron(0 3 ? * ? *)",
    "cron(60 3 * * ? *)",
    "cron(0 24 * * ? *)",
    "cron(0 3 32 * ? *)",
    "cron(0 3 0 * ? *)",
    "cron(0 3 * 13 ? *)",
    "cron(0 3 ? * 8 *)",
    "cron(0 3 ? * 0 *)",
    "cron(0 3 ? * MON#6 *)",
    "cron(0 3 * * ? 1969)",
    "cron(0 3 * * ? 2200)",
    "cron(0 3 * FOO ? *)",
    "cron(0/0 3 * * ? *)",
    "cron(0  3 * * ? *)",
    "cron(0 3 * * ? *) ",
    "cron(0 3 * * ? *)\n",
    "cron(\N{ARABIC-INDIC DIGIT ZERO} 3 * * ? *)",
    "CRON(0 3 * * ? *)",
    "cron(0 3 * * ? *);",
    "rate(0 minutes)",
    "rate(1 minutes)",
    "rate(5 minute)",
    "rate(1.5 hours)",
    "rate(-1 days)",
    "rate(5 seconds)",
    "rate(5minutes)",
    "rate(\N{ARABIC-INDIC DIGIT FIVE} minutes)",
    "rate(5 minutes)\n",
    "at(2030-01-01T00:00:00)",
]


@pytest.mark.parametrize("schedule", ACCEPTED_SCHEDULES)
def test_a_schedule_that_aws_takes_is_accepted(schedule: str) -> None:
    assert SCHEDULE.fullmatch(schedule)


@pytest.mark.parametrize("schedule", REFUSED_SCHEDULES)
def test_a_schedule_that_aws_does_not_take_is_refused(schedule: str) -> None:
    assert not SCHEDULE.fullmatch(schedule)


def test_no_two_alarms_have_one_name() -> None:
    names = [alarm["name"] for alarm in ALARMS]
    assert names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: str(alarm["name"]))
def test_an_alarm_says_who_is_woken_why_and_what_to_do(alarm: dict[str, Any]) -> None:
    assert set(alarm) == {"name", "severity", "kinds", "summary", "meaning", "steps"}
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", alarm["name"])
    assert alarm["severity"] in SEVERITIES
    assert alarm["kinds"]
    assert set(alarm["kinds"]) <= {*CONTRACT["kinds"], *CONTRACT["data_store_kinds"]}
    assert len(set(alarm["kinds"])) == len(alarm["kinds"])
    assert alarm["steps"]
    for sentence in (alarm["summary"], alarm["meaning"], *alarm["steps"]):
        assert sentence.strip() == sentence
        assert sentence.isprintable()
        assert sentence.endswith((".", "?"))


@pytest.mark.parametrize("kind", CONTRACT["kinds"])
def test_every_kind_of_service_has_an_alarm_that_wakes_somebody(kind: str) -> None:
    assert any(kind in alarm["kinds"] and alarm["severity"] == "emergency" for alarm in ALARMS)


@pytest.mark.parametrize("case", CONTRACT["timing"]["cases"])
def test_drain_stop_and_margin_fit_into_the_stop_timeout(case: str) -> None:
    row = CONTRACT["timing"]["cases"][case]
    assert row["drain"] + row["stop"] + CONTRACT["timing"]["margin_seconds"] <= row["stop_timeout"]
    assert row["stop_timeout"] <= budgets.MAXIMUM_STOP_TIMEOUT_SECONDS == 120


def test_the_budgets_are_those_of_the_contract() -> None:
    assert (budgets.WEB.drain_seconds, budgets.WEB.stop_seconds) == (5, 20)
    assert (budgets.WEB_ON_SPOT.drain_seconds, budgets.WEB_ON_SPOT.stop_seconds) == (15, 60)
    assert (budgets.WORKER.drain_seconds, budgets.WORKER.stop_seconds) == (0, 25)
    assert budgets.MARGIN_SECONDS == 5


def test_the_keep_alive_outlives_the_load_balancers_idle_time() -> None:
    assert budgets.KEEP_ALIVE_SECONDS == 75
    assert CONTRACT["timing"]["load_balancer_idle_seconds"] < budgets.KEEP_ALIVE_SECONDS


def test_a_drain_on_spot_lasts_until_the_load_balancer_has_seen_two_failed_checks() -> None:
    assert budgets.WEB_ON_SPOT.drain_seconds > 2 * 5


def test_the_endpoints_and_ports_are_those_of_the_contract() -> None:
    assert (LIVE, READY) == ("/healthz/live", "/healthz/ready")
    assert (DEPENDENCIES, INFO) == ("/healthz/dependencies", "/healthz/info")
    assert (WEB_PORT, HEALTH_PORT) == (5000, 5001)


def test_the_tags_are_those_of_the_contract() -> None:
    assert set(CONTRACT["tags"]) == {"environment", "product", "service", "owner", "managed-by"}
    assert CONTRACT["data_store_tags"] == ["subservice"]


@pytest.mark.parametrize("answer", [name for name, rule in CONTRACT["answers"].items() if "pattern" in rule])
def test_a_pattern_of_an_answer_compiles_and_refuses_a_second_line(answer: str) -> None:
    pattern = re.compile(CONTRACT["answers"][answer]["pattern"])
    for text in ("", "a\n", "\n", "a@b.c\n", "https://a\n", "rate(1 day)\n"):
        assert not pattern.fullmatch(text), text


@pytest.mark.parametrize("path", CONTRACT["look_up"].values())
def test_a_look_up_is_keyed_by_environment(path: str) -> None:
    assert path.count("{environment}") == 1
    # https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-parameter-name-constraints.html
    assert re.fullmatch(r"/[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+){2}", path.format(environment="prod"))

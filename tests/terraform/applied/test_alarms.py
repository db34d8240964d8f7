"""Alarms of a service of each kind, as CloudWatch has them."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import Foundation, World
from tests.terraform.applied.monitored import ALARMS, SERVICES, value

pytestmark = pytest.mark.e2e

NAMES = {"web": "duolingo-api", "worker-daemon": "duolingo-mailer", "worker-cron": "duolingo-report"}
OF_KIND = [(kind, alarm["name"]) for kind in NAMES for alarm in ALARMS if kind in alarm["kinds"]]
BY_NAME = {alarm["name"]: alarm for alarm in ALARMS}
# The talk's, and what they look at.
TALK = {
    ("web", "latency-p99"): ("TargetResponseTime", "p99"),
    ("web", "errors-5xx"): ("HTTPCode_Target_5XX_Count", "Sum"),
    ("web", "no-healthy-task"): ("HealthyHostCount", "Maximum"),
    ("web", "memory-high"): ("MemoryUtilization", "Average"),
    ("web", "cpu-high"): ("CPUUtilization", "Average"),
    ("web", "aws-throttles"): ("duolingo.api.aws.calls.throttles", "Sum"),
    ("web", "restarts"): ("duolingo.api.restarts", "Sum"),
    ("worker-daemon", "oldest-message-age"): ("ApproximateAgeOfOldestMessage", "Maximum"),
    ("worker-daemon", "dead-letter-messages"): ("ApproximateNumberOfMessagesVisible", "Maximum"),
    ("worker-cron", "silence"): ("cron_finished", "Sum"),
    ("worker-cron", "run-failed"): ("ExecutionsFailed", "Sum"),
}
SECONDS_OF_A_DAY = 24 * 3600


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied(SERVICES)


@pytest.fixture(scope="module")
def alarms(world: World) -> dict[str, dict[str, Any]]:
    """Every alarm by its name in CloudWatch, but for those that target tracking makes for itself."""
    pages = world.client("cloudwatch").get_paginator("describe_alarms")
    answer = pages.paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found = [alarm for page in answer for kind in ("MetricAlarms", "CompositeAlarms") for alarm in page[kind]]
    return {alarm["AlarmName"]: alarm for alarm in found if not alarm["AlarmName"].startswith("TargetTracking-")}


def metrics(alarm: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and statistic of each metric of an alarm."""
    return [
        (query["MetricStat"]["Metric"]["MetricName"], query["MetricStat"]["Stat"])
        for query in alarm["Metrics"]
        if "MetricStat" in query
    ]


def name(kind: str, alarm: str) -> str:
    """What an alarm of the contract is called in CloudWatch."""
    return f"{NAMES[kind]}-prod-{alarm}"


def test_another_plan_is_empty(world: World) -> None:
    world.assert_settled()


@pytest.mark.parametrize(("kind", "alarm"), OF_KIND)
def test_every_alarm_of_the_kind_is_there(
    alarms: dict[str, dict[str, Any]], world: World, kind: str, alarm: str
) -> None:
    assert name(kind, alarm) in alarms
    assert world.outputs["alarm_names"][kind][alarm] == name(kind, alarm)


def test_a_web_service_costs_as_many_alarms_as_the_readme_says(alarms: dict[str, dict[str, Any]]) -> None:
    of_web = [alarm for name, alarm in alarms.items() if name.startswith("duolingo-api-prod-")]
    composite = [alarm for alarm in of_web if "AlarmRule" in alarm]
    objectives = [alarm for alarm in of_web if "-burn-" in alarm["AlarmName"]]
    assert (len(of_web) - len(composite), len(composite), len(objectives)) == (19, 5, 12 + 4)


def test_there_is_no_alarm_that_the_playbook_has_no_entry_for(alarms: dict[str, dict[str, Any]]) -> None:
    entries = [re.search(r"/docs/playbook\.md#([a-z0-9-]+)", alarm["AlarmDescription"]) for alarm in alarms.values()]
    assert all(entries)
    assert {entry[1] for entry in entries if entry} == {alarm for _, alarm in OF_KIND}


@pytest.mark.parametrize(("kind", "alarm"), OF_KIND)
def test_the_description_leads_to_whoever_can_help(alarms: dict[str, dict[str, Any]], kind: str, alarm: str) -> None:
    description = alarms[name(kind, alarm)]["AlarmDescription"]
    assert description.startswith(BY_NAME[alarm]["summary"])
    assert "Owner: Learning Team." in description
    assert ("Contact: learning@example.com." in description) == (kind == "web")
    assert f"Playbook: https://github.com/duolingo/{NAMES[kind]}/blob/main/docs/playbook.md#{alarm} " in description
    dashboard = f"https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/{NAMES[kind]}-prod"
    assert description.endswith(f"Dashboard: {dashboard}")
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    assert len(description) <= 1024


@pytest.mark.parametrize(("kind", "alarm"), OF_KIND)
def test_it_acts_by_its_severity_itself_or_through_one_that_does(
    alarms: dict[str, dict[str, Any]], foundation: Foundation, kind: str, alarm: str
) -> None:
    topic = [foundation.values[f"{BY_NAME[alarm]['severity']}_topic_arn"]]
    found = alarms[name(kind, alarm)]
    if through := re.search(r"It acts through ([a-z0-9-]+)\.", found["AlarmDescription"]):
        assert found["AlarmActions"] == []
        found = alarms[name(kind, through[1])]
        assert f'ALARM("{name(kind, alarm)}")' in found["AlarmRule"]
    assert found["AlarmActions"] == topic
    assert found["OKActions"] == topic
    assert found["ActionsEnabled"] is True


def test_only_what_is_part_of_service_down_leaves_its_page_to_it(alarms: dict[str, dict[str, Any]]) -> None:
    quiet = {alarm["AlarmName"] for alarm in alarms.values() if "through service-down" in alarm["AlarmDescription"]}
    assert quiet == {
        "duolingo-api-prod-no-healthy-task",
        "duolingo-api-prod-errors-5xx",
        "duolingo-mailer-prod-no-running-task",
        "duolingo-mailer-prod-oldest-message-age",
    }
    assert alarms["duolingo-api-prod-service-down"]["AlarmRule"] == (
        'ALARM("duolingo-api-prod-no-healthy-task") OR ALARM("duolingo-api-prod-errors-5xx")'
    )
    assert alarms["duolingo-mailer-prod-service-down"]["AlarmRule"] == (
        'ALARM("duolingo-mailer-prod-no-running-task") OR ALARM("duolingo-mailer-prod-oldest-message-age")'
    )


@pytest.mark.parametrize(("of", "watched"), TALK.items(), ids=lambda value: str(value[1]))
def test_the_alarms_of_the_talk_look_at_what_they_say(
    alarms: dict[str, dict[str, Any]], of: tuple[str, str], watched: tuple[str, str]
) -> None:
    assert watched in metrics(alarms[name(*of)])


@pytest.mark.parametrize(("objective", "suppressor"), [("availability", "service-down"), ("latency", "latency-p99")])
def test_the_budget_burns_over_two_windows(alarms: dict[str, dict[str, Any]], objective: str, suppressor: str) -> None:
    """Factors and windows of https://sre.google/workbook/alerting-on-slos/ for 99.9 %."""
    prefix = f"duolingo-api-prod-{objective}-burn"
    fast, slow = alarms[f"{prefix}-fast"], alarms[f"{prefix}-slow"]
    assert fast["AlarmRule"] == (
        f'(ALARM("{prefix}-1h") AND ALARM("{prefix}-5m")) OR (ALARM("{prefix}-6h") AND ALARM("{prefix}-30m"))'
    )
    assert slow["AlarmRule"] == f'(ALARM("{prefix}-3d") AND ALARM("{prefix}-slow-6h"))'
    assert fast["ActionsSuppressor"] == f"duolingo-api-prod-{suppressor}"
    windows = {}
    for window in ("1h", "5m", "6h", "30m", "3d", "slow-6h"):
        alarm = alarms[f"{prefix}-{window}"]
        (period,) = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
        windows[window] = (alarm["Threshold"], alarm["EvaluationPeriods"] * period)
    assert windows == {
        "1h": (1.44, 3600),
        "5m": (1.44, 300),
        "6h": (0.6, 6 * 3600),
        "30m": (0.6, 1800),
        "3d": (0.1, 3 * SECONDS_OF_A_DAY),
        "slow-6h": (0.1, 6 * 3600),
    }


def test_every_alarm_is_one_that_cloudwatch_takes(alarms: dict[str, dict[str, Any]]) -> None:
    for alarm in (alarm for alarm in alarms.values() if "Metrics" in alarm):
        queries = alarm["Metrics"]
        identifiers = [query["Id"] for query in queries]
        assert all(re.fullmatch(r"[a-z][A-Za-z0-9_]*", identifier) for identifier in identifiers)
        assert len(set(identifiers)) == len(identifiers)
        assert sum(query["ReturnData"] for query in queries) == 1
        stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
        # One period in an alarm, and ten metrics at most:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
        assert len(stats) <= 10
        (period,) = {stat["Period"] for stat in stats}
        seconds = period * alarm["EvaluationPeriods"]
        assert seconds <= (SECONDS_OF_A_DAY if period < 3600 else 7 * SECONDS_OF_A_DAY)
        assert alarm["TreatMissingData"] in {"breaching", "notBreaching"}
        for query in queries:
            expression = query.get("Expression", "")
            assert "SEARCH" not in expression
            used = set(re.findall(r"\b[a-z][A-Za-z0-9_]*\b", expression))
            assert used <= set(identifiers)


def test_every_expression_is_0_while_nothing_happens(alarms: dict[str, dict[str, Any]]) -> None:
    for alarm in alarms.values():
        zeros = {query["Id"]: 0.0 for query in alarm.get("Metrics", [])}
        # With no answers there is no share of them, and a slow answer is what is missing to 100 %.
        zeros |= {"quick": 100.0} if "quick" in zeros else {}
        for query in alarm.get("Metrics", []):
            if "Expression" in query:
                assert value(query["Expression"], zeros) == 0


@pytest.mark.parametrize(
    ("alarm", "metrics_of_it", "expected"),
    [
        ("duolingo-api-prod-errors-5xx", {"errors": 3, "refused": 1, "requests": 200}, 2),
        ("duolingo-api-prod-availability-burn-5m", {"errors": 3, "refused": 1, "requests": 200}, 2),
        # Too few to say anything, in a long window.
        ("duolingo-api-prod-availability-burn-1h", {"errors": 8, "refused": 1, "requests": 10}, 0),
        ("duolingo-api-prod-availability-burn-1h", {"errors": 9, "refused": 1, "requests": 200}, 5),
        ("duolingo-api-prod-latency-burn-5m", {"quick": 97}, 3),
        ("duolingo-api-prod-latency-burn-1h", {"quick": 97, "answers": 300}, 0),
        ("duolingo-api-prod-latency-burn-1h", {"quick": 97, "answers": 400}, 3),
        ("duolingo-mailer-prod-availability-burn-5m", {"lost": 1, "handled": 0}, 100),
        ("duolingo-mailer-prod-availability-burn-6h", {"lost": 10, "handled": 990}, 1),
        ("duolingo-mailer-prod-no-running-task", {"running": 0, "visible_main": 4}, 4),
        ("duolingo-mailer-prod-no-running-task", {"running": 1, "visible_main": 4}, 0),
    ],
)
def test_an_expression_says_what_it_is_meant_to(
    alarms: dict[str, dict[str, Any]], alarm: str, metrics_of_it: dict[str, float], expected: float
) -> None:
    (expression,) = [query["Expression"] for query in alarms[alarm]["Metrics"] if "Expression" in query]
    assert value(expression, metrics_of_it) == pytest.approx(expected)


def test_missing_data_rings_only_where_it_means_that_nothing_runs(alarms: dict[str, dict[str, Any]]) -> None:
    breaching = {alarm["AlarmName"] for alarm in alarms.values() if alarm.get("TreatMissingData") == "breaching"}
    assert breaching == {"duolingo-api-prod-no-healthy-task", "duolingo-report-prod-silence"}


def test_every_alarm_is_billed(alarms: dict[str, dict[str, Any]], world: World) -> None:
    for alarm in alarms.values():
        tags = world.client("cloudwatch").list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
        assert {"Key": "owner", "Value": "Learning Team"} in tags


def test_another_threshold_changes_the_alarms_of_latency_and_nothing_else_of_them(world: World) -> None:
    actions = world.change({"latency_threshold_seconds": 2})
    changed = {re.sub(r".*\[\"(.*)\"\]$", r"\1", address) for address in actions if "metric_alarm" in address}
    assert changed == {
        "latency-p99",
        *(f"latency-burn-{window}" for window in ("1h", "5m", "6h", "30m", "3d", "slow-6h")),
    }
    assert all(action == ["update"] for action in actions.values())
    world.assert_settled()


def test_nothing_is_left(world: World) -> None:
    world.destroy()

"""The dashboard of a service of each kind, as CloudWatch has it."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from baselib.telemetry.metrics import standard
from tests.terraform.applied.conftest import Foundation, World
from tests.terraform.applied.monitored import SERVICES, value

pytestmark = pytest.mark.e2e

Widget = dict[str, Any]

NAMES = {"web": "duolingo-api", "worker-daemon": "duolingo-mailer", "worker-cron": "duolingo-report"}
each_kind = pytest.mark.parametrize("kind", NAMES)
# The talk's panels, and what is in each: metric and statistic.
WEB = {
    "Healthy, unhealthy and running tasks": {
        ("HealthyHostCount", "Average"),
        ("UnHealthyHostCount", "Average"),
        ("CPUUtilization", "SampleCount"),
    },
    "Latency: average and percentiles": {
        ("TargetResponseTime", statistic) for statistic in ("Average", "p50", "p90", "p99")
    },
    "Number of requests": {("RequestCount", "Sum")},
    "CPU: minimum, average, maximum": {("CPUUtilization", each) for each in ("Minimum", "Average", "Maximum")},
    "Memory: minimum, average, maximum": {("MemoryUtilization", each) for each in ("Minimum", "Average", "Maximum")},
}
WORKER = {
    "Running tasks": {("RunningTaskCount", "Average")},
    "CPU: minimum, average, maximum": WEB["CPU: minimum, average, maximum"],
    "Memory: minimum, average, maximum": WEB["Memory: minimum, average, maximum"],
    "Visible messages": {("ApproximateNumberOfMessagesVisible", "Maximum")},
    "Deleted messages": {("NumberOfMessagesDeleted", "Sum")},
    "Age of the oldest message": {("ApproximateAgeOfOldestMessage", "Maximum")},
}
CRON = {
    "Runs": {(f"Executions{end}", "Sum") for end in ("Succeeded", "Failed", "TimedOut", "Aborted")},
    "Duration of runs": {("ExecutionTime", "Average"), ("ExecutionTime", "Maximum")},
    "Silence: hours since a run finished": {("cron_finished", "Sum")},
}
PANELS = [
    (kind, title)
    for kind, panels in (("web", WEB), ("worker-daemon", WORKER), ("worker-cron", CRON))
    for title in panels
]
STANDARD = {metric.name: metric for metric in vars(standard).values() if isinstance(metric, standard.StandardMetric)}


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied(SERVICES)


@pytest.fixture(scope="module")
def dashboards(world: World) -> dict[str, list[Widget]]:
    """The widgets of each kind's dashboard."""
    cloudwatch = world.client("cloudwatch")
    return {
        kind: json.loads(cloudwatch.get_dashboard(DashboardName=f"{name}-prod")["DashboardBody"])["widgets"]
        for kind, name in NAMES.items()
    }


def panel(widgets: list[Widget], title: str) -> Widget:
    """The widget with a title."""
    (found,) = [widget for widget in widgets if widget["properties"].get("title") == title]
    return found


def lines(widget: Widget) -> list[tuple[list[str], dict[str, Any]]]:
    """Each line of a graph: what identifies its metric, and its options."""
    return [(line[:-1], line[-1]) for line in widget["properties"]["metrics"]]


def test_another_plan_is_empty(world: World) -> None:
    world.assert_settled()


@each_kind
def test_no_two_widgets_overlap_and_none_is_outside(dashboards: dict[str, list[Widget]], kind: str) -> None:
    cells = [
        (x, y)
        for widget in dashboards[kind]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23
    # Nor is there a hole.
    assert len(cells) == 24 * (max(y for _, y in cells) + 1)
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
    assert len(dashboards[kind]) <= 500


@pytest.mark.parametrize(("kind", "title"), PANELS)
def test_every_panel_of_the_talk_shows_its_metrics(dashboards: dict[str, list[Widget]], kind: str, title: str) -> None:
    expected = {"web": WEB, "worker-daemon": WORKER, "worker-cron": CRON}[kind][title]
    shown = {(metric[1], options["stat"]) for metric, options in lines(panel(dashboards[kind], title)) if metric}
    assert shown == expected


@pytest.mark.parametrize(
    ("title", "metrics", "schema"),
    [
        (
            "Service errors by availability zone",
            {"HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount"},
            "AWS/ApplicationELB,AvailabilityZone,LoadBalancer,TargetGroup",
        ),
        (
            "Load balancer errors by availability zone",
            {"HTTPCode_ELB_5XX_Count"},
            "AWS/ApplicationELB,AvailabilityZone,LoadBalancer",
        ),
    ],
)
def test_errors_are_shown_by_zone_whatever_zones_there_are(
    dashboards: dict[str, list[Widget]], world: World, title: str, metrics: set[str], schema: str
) -> None:
    state = world.state()
    target_group = state["module.duolingo-api.aws_lb_target_group.this"]["arn_suffix"]
    found = set()
    for metric, options in lines(panel(dashboards["web"], title)):
        assert metric == []
        search = re.fullmatch(r"SEARCH\('\{(.*)\} MetricName=\"(\w+)\" (.*)', 'Sum', 60\)", options["expression"])
        assert search
        assert search[1] == schema
        assert 'LoadBalancer="app/prod-internal/' in search[3]
        assert (f'TargetGroup="{target_group}"' in search[3]) == ("TargetGroup" in schema)
        assert options["label"].startswith("${PROP('Dim.AvailabilityZone')}")
        found.add(search[2])
    assert found == metrics
    assert not re.search(r"us-east-1[a-f]", json.dumps(dashboards["web"]))


@each_kind
def test_the_clock_is_the_environments(dashboards: dict[str, list[Widget]], foundation: Foundation, kind: str) -> None:
    clock = panel(dashboards[kind], "Local time and UTC")
    assert clock["type"] == "custom"
    assert clock["properties"]["endpoint"] == foundation.values["clock_function_arn"]


@each_kind
def test_the_links_are_in_one_row(dashboards: dict[str, list[Widget]], kind: str) -> None:
    (text,) = [widget["properties"]["markdown"] for widget in dashboards[kind] if widget["type"] == "text"]
    (row,) = [line for line in text.splitlines() if " | " in line]
    links = dict(re.findall(r"\[([^\]]*)\]\(([^)]*)\)", row))
    repository = f"https://github.com/duolingo/{NAMES[kind]}"
    assert links["Repository"] == repository
    assert links["Playbook"] == f"{repository}/blob/main/docs/playbook.md"
    assert f"*2fecs*2fprod*2f{NAMES[kind]}" in row
    assert "#logsV2:logs-insights$3FqueryDetail$3D" in row
    assert ("Sentry" in links) == (kind == "web")
    if kind == "web":
        assert links["Sentry"] == "https://duolingo.sentry.io/projects/duolingo-api/"
    # A round bracket would end a link of Markdown.
    assert not any("(" in address for address in links.values())


@each_kind
def test_the_alarms_are_those_of_the_service(dashboards: dict[str, list[Widget]], world: World, kind: str) -> None:
    shown = panel(dashboards[kind], "Alarms")["properties"]["alarms"]
    names = world.outputs["alarm_names"][kind].values()
    assert sorted(arn.rsplit(":", 1)[1] for arn in shown) == sorted(names)


@each_kind
def test_deployments_are_a_metric_and_no_time_is_written_down(dashboards: dict[str, list[Widget]], kind: str) -> None:
    ((metric, options),) = lines(panel(dashboards[kind], "Deployments: tasks started, by release"))
    assert metric == []
    assert f'MetricName="{NAMES[kind].replace("-", ".")}.starts" environment="prod"' in options["expression"]
    assert "{baselib,environment,metric_type,release}" in options["expression"]
    assert not re.search(r"20[0-9]{2}-[0-9]{2}", json.dumps(dashboards[kind]))


@pytest.mark.parametrize(
    ("kind", "objective"), [("web", "availability"), ("web", "latency"), ("worker-daemon", "availability")]
)
def test_the_objective_and_what_is_left_of_its_budget_are_shown(
    dashboards: dict[str, list[Widget]], kind: str, objective: str
) -> None:
    left = panel(dashboards[kind], f"Error budget left: {objective} (99.9 % of 30 days)")
    assert left["properties"]["view"] == "singleValue"
    assert left["properties"]["setPeriodToTimeRange"] is True
    assert left["properties"]["start"] == "-P30D"
    burn = panel(dashboards[kind], f"Burn rate of the error budget: {objective}")
    assert lines(left)[0][1]["expression"].startswith("100 - 100 * (")
    for widget in (left, burn):
        assert lines(widget)[0][1]["expression"].endswith(") / 0.1")


@each_kind
def test_every_metric_of_baselib_is_one_that_baselib_sends_with_these_tags(
    dashboards: dict[str, list[Widget]], kind: str
) -> None:
    prefix = NAMES[kind].replace("-", ".") + "."
    seen = 0
    for widget in dashboards[kind]:
        for metric, options in lines(widget) if widget["type"] == "metric" else []:
            if metric and metric[0] == "baselib":
                assert metric[1].removeprefix(prefix) in STANDARD
                assert metric[2:] == ["environment", "prod"]
                seen += 1
            elif "{baselib," in options.get("expression", ""):
                search = re.search(r"\{baselib,(.*)\} MetricName=\"(.*?)\"", options["expression"])
                assert search
                tags = STANDARD[search[2].removeprefix(prefix)].tags
                assert set(search[1].split(",")) == {"environment", "metric_type", *tags}
                assert set(re.findall(r"Dim\.(\w+)", options["label"])) == set(tags)
                seen += 1
    assert seen >= 7


@each_kind
def test_every_graph_is_one_that_cloudwatch_takes(dashboards: dict[str, list[Widget]], kind: str) -> None:
    for widget in (widget for widget in dashboards[kind] if widget["type"] == "metric"):
        properties = widget["properties"]
        assert properties["region"] == "us-east-1"
        identifiers = [options["id"] for _, options in lines(widget) if "id" in options]
        assert len(set(identifiers)) == len(identifiers)
        for metric, options in lines(widget):
            assert metric == [] or len(metric) % 2 == 0
            expression = options.get("expression", "")
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
            assert len(expression) <= 1024
            if "SEARCH" not in expression:
                used = set(re.findall(r"\b[a-z][A-Za-z0-9_]*\b", expression))
                assert used <= set(identifiers)
        assert any(options.get("visible", True) for _, options in lines(widget))


@each_kind
def test_nothing_is_divided_by_0_while_nothing_happens(dashboards: dict[str, list[Widget]], kind: str) -> None:
    for widget in (widget for widget in dashboards[kind] if widget["type"] == "metric"):
        zeros = {options["id"]: 0.0 for _, options in lines(widget) if "id" in options} | {"REPEAT": 0.0}
        for _, options in lines(widget):
            if "expression" in options and "SEARCH" not in options["expression"]:
                assert isinstance(value(options["expression"], zeros), float)


def test_another_threshold_changes_the_dashboard_of_its_service_only(world: World) -> None:
    actions = world.change({"latency_threshold_seconds": 2})
    assert actions["module.duolingo-api.module.dashboard.aws_cloudwatch_dashboard.this"] == ["update"]
    assert [address for address in actions if "aws_cloudwatch_dashboard" in address] == [
        "module.duolingo-api.module.dashboard.aws_cloudwatch_dashboard.this"
    ]
    world.assert_settled()


def test_the_service_has_one_dashboard(world: World) -> None:
    entries = world.client("cloudwatch").list_dashboards()["DashboardEntries"]
    assert sorted(entry["DashboardName"] for entry in entries) == sorted(f"{name}-prod" for name in NAMES.values())
    world.destroy()
    assert world.client("cloudwatch").list_dashboards()["DashboardEntries"] == []

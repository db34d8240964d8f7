"""The dashboard of a product's services."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from baselib.contract import ServiceName
from tests.terraform.applied.conftest import Foundation, World
from tests.terraform.applied.monitored import ALARMS

pytestmark = pytest.mark.e2e

SERVICES = {"api": "web", "mailer": "worker-daemon", "report": "worker-cron"}


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied("fleet_dashboard")


def body(world: World) -> list[dict[str, Any]]:
    """The widgets of the dashboard."""
    dashboard = world.client("cloudwatch").get_dashboard(DashboardName="duolingo_prod")
    return json.loads(dashboard["DashboardBody"])["widgets"]  # type: ignore[no-any-return]


def graphs(world: World) -> dict[str, list[list[Any]]]:
    """The lines of each graph, by its title."""
    return {
        widget["properties"]["title"]: widget["properties"]["metrics"]
        for widget in body(world)
        if widget["type"] == "metric"
    }


def test_another_plan_is_empty(world: World) -> None:
    world.assert_settled()


def test_widgets_fill_the_grid_without_overlapping(world: World) -> None:
    cells = [
        (x, y)
        for widget in body(world)
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(set(cells)) == len(cells) == 24 * (max(y for _, y in cells) + 1)
    assert max(x for x, _ in cells) == 23


def test_each_service_is_found_from_here(world: World, foundation: Foundation) -> None:
    (text,) = [widget["properties"]["markdown"] for widget in body(world) if widget["type"] == "text"]
    for service in SERVICES:
        dashboard = ServiceName("duolingo", service).resource("dashboard", environment="prod")
        assert f"[{service}](https://us-east-1.console.aws.amazon.com/cloudwatch/" in text
        assert f"#dashboards/dashboard/{dashboard})" in text
    (clock,) = [widget for widget in body(world) if widget["type"] == "custom"]
    assert clock["properties"]["endpoint"] == foundation.values["clock_function_arn"]


def test_the_emergencies_are_alarms_of_the_contract(world: World) -> None:
    (alarms,) = [widget["properties"]["alarms"] for widget in body(world) if widget["type"] == "alarm"]
    shown = [arn.rsplit(":", 1)[1] for arn in alarms]
    known = {
        f"duolingo-{service}-prod-{alarm['name']}"
        for service, kind in SERVICES.items()
        for alarm in ALARMS
        if kind in alarm["kinds"] and alarm["severity"] == "emergency"
    }
    assert set(shown) <= known
    assert {name for name in shown if name.endswith(("service-down", "silence"))} == {
        "duolingo-api-prod-service-down",
        "duolingo-mailer-prod-service-down",
        "duolingo-report-prod-silence",
    }


def test_each_graph_has_a_line_for_each_service_of_its_kind(world: World) -> None:
    labels = {title: [line[-1]["label"] for line in lines] for title, lines in graphs(world).items()}
    assert labels == {
        "Requests by service": ["api"],
        "Milliseconds of requests by service (p99)": ["api"],
        "Server errors by service": ["api"],
        "Visible messages by service": ["mailer"],
        "Deleted messages by service": ["mailer"],
        "Age of the oldest message by service": ["mailer"],
        "CPU by service": ["api", "mailer"],
        "Memory by service": ["api", "mailer"],
        "Restarts by service": ["api", "mailer"],
        "Finished runs by job": ["report"],
        "Price of calls of AWS by service, in millionths of a US dollar": ["api", "mailer", "report"],
    }


def test_each_graph_shows_the_metric_that_it_is_named_after(world: World) -> None:
    metrics = {
        title: {(line[0], line[1].removeprefix("duolingo.").partition(".")[2] or line[1]) for line in lines}
        for title, lines in graphs(world).items()
        # That is a search.
        if title != "Server errors by service"
    }
    assert metrics == {
        "Requests by service": {("baselib", "requests")},
        "Milliseconds of requests by service (p99)": {("baselib", "requests.time")},
        "Visible messages by service": {("AWS/SQS", "ApproximateNumberOfMessagesVisible")},
        "Deleted messages by service": {("AWS/SQS", "NumberOfMessagesDeleted")},
        "Age of the oldest message by service": {("AWS/SQS", "ApproximateAgeOfOldestMessage")},
        "CPU by service": {("AWS/ECS", "CPUUtilization")},
        "Memory by service": {("AWS/ECS", "MemoryUtilization")},
        "Restarts by service": {("baselib", "restarts")},
        "Finished runs by job": {("duolingo-report-prod", "cron_finished")},
        "Price of calls of AWS by service, in millionths of a US dollar": {("baselib", "aws.cost")},
    }


def test_server_errors_are_the_requests_answered_with_5xx(world: World) -> None:
    ((line,),) = graphs(world)["Server errors by service"]
    assert 'MetricName="duolingo.api.requests"' in line["expression"]
    assert 'status=("500" OR "501" OR "502" OR "503" OR "504")' in line["expression"]


def test_a_further_service_changes_the_dashboard_in_place(world: World) -> None:
    actions = world.change({"services": {**SERVICES, "words": "web"}})
    assert actions == {"module.fleet_dashboard.aws_cloudwatch_dashboard.this": ["update"]}
    world.assert_settled()
    assert [line[-1]["label"] for line in graphs(world)["Requests by service"]] == ["api", "words"]


def test_nothing_is_left(world: World) -> None:
    world.destroy()
    assert world.client("cloudwatch").list_dashboards()["DashboardEntries"] == []

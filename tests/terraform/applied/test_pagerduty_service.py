"""What PagerDuty's module makes in AWS, applied; PagerDuty itself is a stand-in that makes ids up."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import Foundation, World
from tests.terraform.conftest import REPOSITORY
from tests.terraform.pagerduty.provider import PRETEND

pytestmark = pytest.mark.e2e

EXAMPLE = REPOSITORY / "terraform/examples/pagerduty_service"


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    texts = [(EXAMPLE / name).read_text(encoding="utf-8") for name in ("versions.tf", "main.tf")]
    configuration = "\n".join(texts).replace(
        'provider "pagerduty" {}', f'provider "pagerduty" {{ token = "{PRETEND}" }}'
    )
    assert PRETEND in configuration
    variable = 'variable "further_alarm_names" {\n  type    = set(string)\n  default = []\n}\n'
    call = 'service     = "api"\n'
    assert call in configuration
    given = configuration.replace(call, f"{call}  further_alarm_names = var.further_alarm_names\n")
    return applied(variable + given)


def subscription(world: World, foundation: Foundation) -> dict[str, Any]:
    sns = world.client("sns")
    found = sns.list_subscriptions_by_topic(TopicArn=foundation.values["emergency_topic_arn"])["Subscriptions"]
    assert len(found) == 1
    attributes: dict[str, Any] = sns.get_subscription_attributes(SubscriptionArn=found[0]["SubscriptionArn"])[
        "Attributes"
    ]
    return attributes


def test_the_second_plan_is_empty(world: World) -> None:
    world.assert_settled()


def test_the_topic_tells_pagerduty_of_this_service_alone(world: World, foundation: Foundation) -> None:
    attributes = subscription(world, foundation)
    key = world.state()["module.duolingo-api-paging.pagerduty_service_integration.cloudwatch"]["integration_key"]
    assert attributes["Protocol"] == "https"
    assert attributes["Endpoint"] == f"https://events.pagerduty.com/integration/{key}/enqueue"
    assert attributes["FilterPolicyScope"] == "MessageBody"
    names = json.loads(attributes["FilterPolicy"])["AlarmName"]
    assert names == world.outputs["alarm_names"]
    contract = json.loads((REPOSITORY / "baselib/contract/alarms.json").read_text(encoding="utf-8"))
    services = {"web", "worker-daemon", "worker-cron"}
    prefixes = {
        True: ["duolingo-api-prod"],
        False: ["duolingo-api-db-prod/data-store", "duolingo-api-cache-prod/data-store"],
    }
    assert set(names) == {
        f"{prefix}-{alarm['name']}"
        for alarm in contract
        if alarm["severity"] == "emergency"
        for prefix in prefixes[bool(services & set(alarm["kinds"]))]
    }


def test_a_further_alarm_changes_the_filter_in_place(world: World, foundation: Foundation) -> None:
    changed = world.change({"further_alarm_names": ["duolingo-api-prod-checkout"]})
    assert changed == {"module.duolingo-api-paging.aws_sns_topic_subscription.this": ["update"]}
    world.assert_settled()
    assert "duolingo-api-prod-checkout" in subscription(world, foundation)["FilterPolicy"]


def test_it_can_be_destroyed(world: World) -> None:
    world.destroy()

"""Alarm topics: who may publish, how messages are encrypted and who is told."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import REGION, World

pytestmark = pytest.mark.e2e

ACCOUNT = "123456789012"
TOPICS = {
    severity: f"arn:aws:sns:{REGION}:{ACCOUNT}:platform-alarms-prod-{severity}" for severity in ("emergency", "warning")
}
OWN_ALARMS = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"},
}


@pytest.fixture(scope="module")
def world(applied: Callable[..., World]) -> World:
    return applied("alarm_topics")


def _key_id(world: World) -> str:
    return str(world.state()["module.alarm_topics.aws_kms_key.this"]["key_id"])


def _key_policy(world: World) -> dict[str, Any]:
    policy = world.client("kms").get_key_policy(KeyId=_key_id(world), PolicyName="default")["Policy"]
    return json.loads(policy)  # type: ignore[no-any-return]


def test_the_second_plan_is_empty(world: World) -> None:
    world.assert_settled()


@pytest.mark.parametrize("severity", TOPICS)
def test_only_alarms_of_this_account_publish_and_only_encrypted(world: World, severity: str) -> None:
    attributes = world.client("sns").get_topic_attributes(TopicArn=TOPICS[severity])["Attributes"]
    allow, deny = json.loads(attributes["Policy"])["Statement"]
    assert (allow["Effect"], allow["Action"], allow["Resource"]) == ("Allow", "sns:Publish", TOPICS[severity])
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"] == OWN_ALARMS
    assert (deny["Effect"], deny["Action"], deny["Resource"]) == ("Deny", "sns:Publish", TOPICS[severity])
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert attributes["KmsMasterKeyId"].endswith(_key_id(world))


def test_cloudwatch_may_use_the_key(world: World) -> None:
    administration, use = _key_policy(world)["Statement"]
    assert use["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert sorted(use["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert use["Condition"] == OWN_ALARMS
    assert administration["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    # Without this one nobody could ever mend the policy.
    assert "kms:PutKeyPolicy" in administration["Action"]
    assert not [action for action in administration["Action"] if "*" in action]
    assert world.client("kms").get_key_rotation_status(KeyId=_key_id(world))["KeyRotationEnabled"] is True


def test_everything_is_billed_to_the_platform(world: World) -> None:
    billing = {
        "environment": "prod",
        "product": "platform",
        "service": "alarms",
        "owner": "Platform Team",
        "managed-by": "terraform",
    }
    for arn in TOPICS.values():
        tags = world.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == billing
    tags = world.client("kms").list_resource_tags(KeyId=_key_id(world))["Tags"]
    assert {tag["TagKey"]: tag["TagValue"] for tag in tags} == billing


def _emails(world: World, severity: str) -> set[str]:
    answer = world.client("sns").list_subscriptions_by_topic(TopicArn=TOPICS[severity])
    return {subscription["Endpoint"] for subscription in answer["Subscriptions"]}


def test_one_address_more_asks_nobody_else_to_confirm_again(world: World) -> None:
    assert (_emails(world, "warning"), _emails(world, "emergency")) == ({"learning@example.com"}, set())
    actions = world.change({"warning_emails": ["first@example.com", "learning@example.com"]})
    assert actions == {
        'module.alarm_topics.aws_sns_topic_subscription.email["warning/first@example.com"]': ["create"],
    }
    world.assert_settled()
    assert _emails(world, "warning") == {"first@example.com", "learning@example.com"}


def test_nothing_is_left(world: World) -> None:
    world.destroy()
    assert world.client("sns").list_topics()["Topics"] == []

"""The clock's function, as Lambda has it."""

import base64
import hashlib
import json
from collections.abc import Callable

import pytest

from tests.terraform.applied.conftest import World
from tests.terraform.conftest import REPOSITORY

pytestmark = pytest.mark.e2e

PACKAGE = REPOSITORY / "terraform/modules/clock_widget/clock.zip"


@pytest.fixture(scope="module")
def world(applied: Callable[..., World]) -> World:
    return applied("clock_widget")


def test_another_plan_is_empty(world: World) -> None:
    world.assert_settled()


def test_the_function_runs_the_package(world: World) -> None:
    function = world.client("lambda").get_function(FunctionName="platform-clock-prod")
    configuration = function["Configuration"]
    assert configuration["FunctionArn"] == world.outputs["function_arn"]
    assert configuration["CodeSha256"] == base64.b64encode(hashlib.sha256(PACKAGE.read_bytes()).digest()).decode()
    assert configuration["Handler"] == "clock.handler"
    assert configuration["Runtime"] == "python3.13"
    assert configuration["Timeout"] == 3
    assert function["Tags"]["owner"] == "Platform Team"


def test_the_function_may_write_its_own_log_and_nothing_else(world: World) -> None:
    iam = world.client("iam")
    role = "platform-clock-prod-function"
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["log"]
    policy = iam.get_role_policy(RoleName=role, PolicyName="log")["PolicyDocument"]
    assert policy["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/platform-clock-prod:*"],
        }
    ]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    assert [statement["Principal"] for statement in trust["Statement"]] == [{"Service": "lambda.amazonaws.com"}]


def test_nobody_else_may_call_the_function(world: World) -> None:
    client = world.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        json.loads(client.get_policy(FunctionName="platform-clock-prod")["Policy"])


def test_the_log_is_kept_for_a_while_only(world: World) -> None:
    (group,) = world.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == ("/aws/lambda/platform-clock-prod", 30)


def test_nothing_is_left(world: World) -> None:
    world.destroy()
    assert world.client("lambda").list_functions()["Functions"] == []

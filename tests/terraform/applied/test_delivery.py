"""The delivery of a service: the image repository, and whom its roles trust with what."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import REGION, World
from tests.terraform.conftest import REPOSITORY

pytestmark = pytest.mark.e2e

ACCOUNT = "123456789012"
CLAIM = "token.actions.githubusercontent.com"
SUBJECTS = {
    "duolingo-api-push": "repo:duolingo/duolingo-api:ref:refs/heads/main",
    "duolingo-api-staging-plan": "repo:duolingo/duolingo-api:pull_request",
    "duolingo-api-staging-apply": "repo:duolingo/duolingo-api:environment:staging",
    "duolingo-api-prod-plan": "repo:duolingo/duolingo-api:pull_request",
    "duolingo-api-prod-apply": "repo:duolingo/duolingo-api:environment:prod",
}
STATE = f"arn:aws:s3:::platform-terraform-prod-{ACCOUNT}-{REGION}/duolingo-api/prod.tfstate"
RELEASES = STATE.replace(".tfstate", ".releases.json")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
LARGEST_POLICY = 6144
MOST_POLICIES = 10


@pytest.fixture(scope="module")
def world(applied: Callable[..., World]) -> World:
    return applied("delivery")


def statements(world: World, role: str) -> list[dict[str, Any]]:
    """Everything that a role is allowed."""
    iam = world.client("iam")
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert len(attached) <= MOST_POLICIES
    for policy in attached:
        document = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId="v1")["PolicyVersion"]["Document"]
        assert len(json.dumps(document, separators=(",", ":"))) <= LARGEST_POLICY
        documents.append(document)
    return [statement for document in documents for statement in document["Statement"]]


def resources(world: World, role: str, action: str) -> set[str]:
    """On what a role may do something."""
    return {
        resource
        for statement in statements(world, role)
        if action in statement["Action"]
        for resource in statement["Resource"]
    }


def test_the_second_plan_is_empty(world: World) -> None:
    world.assert_settled()


def test_tags_of_images_do_not_move_and_images_are_scanned_and_encrypted(world: World) -> None:
    ecr = world.client("ecr")
    repository = ecr.describe_repositories(repositoryNames=["duolingo-api"])["repositories"][0]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"]["scanOnPush"] is True
    assert repository["encryptionConfiguration"]["encryptionType"] == "AES256"
    rules = json.loads(ecr.get_lifecycle_policy(repositoryName="duolingo-api")["lifecyclePolicyText"])["rules"]
    assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged", "any"]
    tags = {
        tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
    }
    assert tags["environment"] == "staging+prod"


@pytest.mark.parametrize("role", SUBJECTS)
def test_each_role_trusts_one_use_of_one_repository(world: World, role: str) -> None:
    document = world.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    (statement,) = document["Statement"]
    assert statement["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{CLAIM}"}
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {f"{CLAIM}:aud": "sts.amazonaws.com", f"{CLAIM}:sub": SUBJECTS[role]}
    }


@pytest.mark.parametrize("role", SUBJECTS)
def test_no_action_is_a_wildcard_and_star_is_only_for_what_allows_nothing_finer(world: World, role: str) -> None:
    unscoped = json.loads((REPOSITORY / "terraform/testing/unscoped_actions.json").read_text(encoding="utf-8"))
    for statement in statements(world, role):
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        if "*" in statement["Resource"]:
            assert set(statement["Action"]) <= set(unscoped)


def test_planning_reads_the_state_and_changes_nothing(world: World) -> None:
    allowed = {action for statement in statements(world, "duolingo-api-prod-plan") for action in statement["Action"]}
    assert {
        action for action in allowed if not action.split(":")[1].startswith(("Batch", "Describe", "Get", "List"))
    } == set()
    assert not {"secretsmanager:GetSecretValue", "ecr:GetAuthorizationToken"} & allowed
    assert resources(world, "duolingo-api-prod-plan", "s3:GetObject") == {STATE, RELEASES}


def test_applying_writes_its_own_state_and_passes_the_services_roles_only(world: World) -> None:
    assert resources(world, "duolingo-api-prod-apply", "s3:PutObject") == {STATE, RELEASES, f"{STATE}.tflock"}
    assert resources(world, "duolingo-api-prod-apply", "s3:DeleteObject") == {f"{STATE}.tflock"}
    passed = resources(world, "duolingo-api-prod-apply", "iam:PassRole")
    assert f"arn:aws:iam::{ACCOUNT}:role/duolingo-api-prod-task" in passed
    assert not {arn for arn in passed if arn.endswith(("-plan", "-apply", "-push")) or "*" in arn}
    assert passed == resources(world, "duolingo-api-prod-apply", "iam:PutRolePolicy")
    assert "ecr:PutImage" not in {
        action for statement in statements(world, "duolingo-api-prod-apply") for action in statement["Action"]
    }


def test_pushing_is_of_this_repository_and_deletes_nothing(world: World) -> None:
    assert resources(world, "duolingo-api-push", "ecr:PutImage") == {
        f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/duolingo-api"
    }
    assert resources(world, "duolingo-api-push", "ecr:BatchDeleteImage") == set()


def test_nothing_is_left(world: World) -> None:
    world.destroy()
    assert world.client("iam").list_roles()["Roles"] == []

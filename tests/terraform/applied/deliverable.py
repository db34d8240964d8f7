"""Whether the role that a pipeline applies with may make what a service consists of."""

import fnmatch
import re
from collections.abc import Iterator
from typing import Any

from tests.terraform.applied.conftest import World

# The action without which a resource cannot be made or changed, by the type of the resource.
ACTIONS = {
    "aws_cloudwatch_composite_alarm": "cloudwatch:PutCompositeAlarm",
    "aws_cloudwatch_dashboard": "cloudwatch:PutDashboard",
    "aws_cloudwatch_event_rule": "events:PutRule",
    "aws_cloudwatch_log_group": "logs:PutRetentionPolicy",
    "aws_cloudwatch_metric_alarm": "cloudwatch:PutMetricAlarm",
    "aws_db_parameter_group": "rds:ModifyDBParameterGroup",
    "aws_db_subnet_group": "rds:ModifyDBSubnetGroup",
    "aws_dynamodb_table": "dynamodb:UpdateTable",
    "aws_ecs_service": "ecs:UpdateService",
    "aws_ecs_task_definition": "ecs:RegisterTaskDefinition",
    "aws_elasticache_cluster": "elasticache:ModifyCacheCluster",
    "aws_elasticache_parameter_group": "elasticache:ModifyCacheParameterGroup",
    "aws_elasticache_replication_group": "elasticache:ModifyReplicationGroup",
    "aws_elasticache_subnet_group": "elasticache:ModifyCacheSubnetGroup",
    "aws_iam_role": "iam:PutRolePolicy",
    "aws_lb_target_group": "elasticloadbalancing:ModifyTargetGroup",
    "aws_opensearch_domain": "es:UpdateDomainConfig",
    "aws_rds_cluster": "rds:ModifyDBCluster",
    "aws_rds_cluster_instance": "rds:ModifyDBInstance",
    "aws_rds_cluster_parameter_group": "rds:ModifyDBClusterParameterGroup",
    "aws_s3_bucket": "s3:CreateBucket",
    "aws_scheduler_schedule": "scheduler:UpdateSchedule",
    "aws_scheduler_schedule_group": "scheduler:TagResource",
    "aws_security_group": "ec2:DeleteSecurityGroup",
    "aws_sfn_state_machine": "states:UpdateStateMachine",
    "aws_sqs_queue": "sqs:SetQueueAttributes",
}


def check_deliverable(service: World, delivery: World, environment: str, other: str) -> None:
    """Every resource of a service may be changed by its apply role, and not by that of another environment.

    Args:
        service: The service, applied.
        delivery: The module `delivery`, applied for it and both environments.
        environment: What the service was applied to.
        other: The other environment.
    """
    found = dict(_resources(service))
    assert found
    own, others = (_statements(delivery, name) for name in (environment, other))
    for address, (kind, arn, tags) in found.items():
        action = ACTIONS[kind]
        assert _allowed(own, action, arn, tags), f"the apply role lacks {action} on {arn} ({address})"
        assert not _allowed(others, action, arn, tags), f"the apply role of {other} has {action} on {arn} ({address})"
        if kind == "aws_iam_role":
            assert _allowed(own, "iam:PassRole", arn, tags)


def _resources(service: World) -> Iterator[tuple[str, tuple[str, str, dict[str, str]]]]:
    for address, attributes in service.state().items():
        kind = re.sub(r"\[[^\]]*\]", "", address).split(".")[-2]
        if kind in ACTIONS and ".data." not in f".{address}":
            arn = attributes.get("arn") or attributes.get("dashboard_arn") or attributes["id"]
            yield address, (kind, arn, attributes.get("tags_all") or {})


def _statements(delivery: World, environment: str) -> list[dict[str, Any]]:
    iam = delivery.client("iam")
    role = delivery.outputs["apply_role_arns"][environment].rpartition("/")[2]
    return [
        statement
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        for statement in iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId="v1")["PolicyVersion"][
            "Document"
        ]["Statement"]
    ]


def _allowed(statements: list[dict[str, Any]], action: str, arn: str, tags: dict[str, str]) -> bool:
    return any(
        action in statement["Action"]
        and any(fnmatch.fnmatchcase(arn, pattern) for pattern in statement["Resource"])
        and all(
            tags.get(key.partition("/")[2]) == value
            for key, value in statement.get("Condition", {}).get("StringEquals", {}).items()
            if key.startswith("aws:ResourceTag/")
        )
        for statement in statements
    )

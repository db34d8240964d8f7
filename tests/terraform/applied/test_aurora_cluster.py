"""Aurora clusters, applied: the example, and the same with a password that is nowhere to be read."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import Foundation, World

pytestmark = pytest.mark.e2e

CLUSTER = "duolingo-api-db-cluster"
TAGS = {
    "environment": "prod",
    "product": "duolingo",
    "service": "api",
    "subservice": "db",
    "owner": "Max Blaze",
    "managed-by": "terraform",
}
EMERGENCIES = {"aurora-no-writer"}
PASSWORD = "correct horse battery staple"

# The call of the talk, whose password was encrypted with KMS.
WITH_PASSWORD = """
    variable "password" {
      type = string
    }

    variable "password_version" {
      type = number
    }

    ephemeral "aws_kms_secrets" "duolingo_api_db" {
      secret {
        name    = "duolingo_api_db"
        payload = var.password
      }
    }

    module "duolingo-api-db" {
      source = "../../modules/aurora_cluster"

      environment           = "prod"
      product               = "duolingo"
      service               = "api"
      subservice            = "words"
      owner                 = "Max Blaze"
      cluster_identifier    = "duolingo-api-words-cluster"
      identifier            = "duolingo-api-words"
      engine                = "aurora-postgresql"
      engine_version        = "12.9"
      name                  = "duolingo"
      password              = ephemeral.aws_kms_secrets.duolingo_api_db.plaintext["duolingo_api_db"]
      password_version      = var.password_version
      instance_class        = "db.r4.large"
      num_cluster_instances = 2
      deletion_protection   = false
    }

    output "credentials" {
      value = module.duolingo-api-db.credentials
    }
"""


def tags(found: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found}


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied("aurora_cluster")


def cluster_of(world: World, identifier: str = CLUSTER) -> dict[str, Any]:
    (cluster,) = world.client("rds").describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"]
    return cluster  # type: ignore[no-any-return]


def instances_of(world: World) -> list[dict[str, Any]]:
    filters = [{"Name": "db-cluster-id", "Values": [CLUSTER]}]
    found = world.client("rds").describe_db_instances(Filters=filters)["DBInstances"]
    return sorted(found, key=lambda instance: str(instance["DBInstanceIdentifier"]))


def test_settles(world: World) -> None:
    world.assert_settled()


def test_is_safe(world: World, foundation: Foundation) -> None:
    cluster = cluster_of(world)
    assert cluster["StorageEncrypted"]
    assert cluster["IAMDatabaseAuthenticationEnabled"]
    assert cluster["DeletionProtection"]
    assert cluster["BackupRetentionPeriod"] == 7
    assert cluster["CopyTagsToSnapshot"]
    assert cluster["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert tags(cluster["TagList"]) == TAGS
    (group,) = world.client("ec2").describe_security_groups(
        GroupIds=[group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"]]
    )["SecurityGroups"]
    (rule,) = group["IpPermissions"]
    assert (rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == (5432, 5432, [])
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [foundation.values["cluster_security_group_id"]]


def test_has_instances_that_can_be_looked_into(world: World) -> None:
    instances = instances_of(world)
    assert [instance["DBInstanceIdentifier"] for instance in instances] == ["duolingo-api-1", "duolingo-api-2"]
    for instance in instances:
        assert not instance["PubliclyAccessible"]
        assert instance["PerformanceInsightsEnabled"]
        assert instance["MonitoringInterval"] == 60
        assert instance["MonitoringRoleArn"].endswith(":role/duolingo-api-db-prod-monitoring")
        assert instance["CACertificateIdentifier"] == "rds-ca-rsa2048-g1"
        assert tags(instance["TagList"]) == TAGS


def test_encrypts_connections_and_logs_slow_statements(world: World) -> None:
    group = cluster_of(world)["DBClusterParameterGroup"]
    parameters = world.client("rds").describe_db_cluster_parameters(DBClusterParameterGroupName=group)["Parameters"]
    values = {parameter["ParameterName"]: parameter["ParameterValue"] for parameter in parameters}
    assert values == {
        "rds.force_ssl": "1",
        "log_min_duration_statement": "1000",
        "log_lock_waits": "1",
        "log_statement": "ddl",
    }
    (log_group,) = world.client("logs").describe_log_groups(logGroupNamePrefix="/aws/rds/cluster/")["logGroups"]
    assert (log_group["logGroupName"], log_group["retentionInDays"]) == (f"/aws/rds/cluster/{CLUSTER}/postgresql", 30)


def test_lets_rds_write_its_measurements_and_no_more(world: World) -> None:
    iam, role = world.client("iam"), "duolingo-api-db-prod-monitoring"
    (trust,) = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "monitoring.rds.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:rds:us-east-1:123456789012:db:duolingo-api-*"},
    }
    statements = iam.get_role_policy(RoleName=role, PolicyName="logs")["PolicyDocument"]["Statement"]
    prefix = "arn:aws:logs:us-east-1:123456789012:log-group:RDSOSMetrics"
    assert [statement["Resource"] for statement in statements] == [
        # The group is checked as `RDSOSMetrics:log-stream:` too.
        [prefix, f"{prefix}:*"],
        [f"{prefix}:log-stream:db-*"],
    ]


def test_a_service_signs_in_by_the_secret(world: World) -> None:
    cluster, outputs = cluster_of(world), world.outputs
    assert outputs["database_url"] == f"postgresql://{cluster['Endpoint']}:5432/duolingo"
    assert outputs["database_credentials"] == cluster["MasterUserSecret"]["SecretArn"]
    (statement,) = json.loads(outputs["task_policy_json"])["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": ["secretsmanager:GetSecretValue"],
        "Resource": [cluster["MasterUserSecret"]["SecretArn"]],
    }


def test_alarms_reach_their_topics(world: World, foundation: Foundation) -> None:
    prefix = "duolingo-api-db-prod/data-store-"
    found = world.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{prefix}aurora-")["MetricAlarms"]
    alarms = {alarm["AlarmName"].removeprefix(prefix): alarm for alarm in found}
    assert alarms.keys() == {
        "aurora-cleanup-behind",
        "aurora-connections-high",
        "aurora-cpu-high",
        "aurora-deadlocks",
        "aurora-local-storage-low",
        "aurora-memory-low",
        "aurora-no-writer",
        "aurora-replica-lag",
        "aurora-restart",
    }
    for name, alarm in alarms.items():
        topic = foundation.values[f"{'emergency' if name in EMERGENCIES else 'warning'}_topic_arn"]
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
        playbook = "https://github.com/duolingo/duolingo-api/blob/main/docs/playbook.md"
        assert f"Owner: Max Blaze. Playbook: {playbook}#{name} " in alarm["AlarmDescription"]
    assert alarms["aurora-no-writer"]["TreatMissingData"] == "breaching"
    (query,) = alarms["aurora-no-writer"]["Metrics"]
    assert {dimension["Name"]: dimension["Value"] for dimension in query["MetricStat"]["Metric"]["Dimensions"]} == {
        "DBClusterIdentifier": CLUSTER,
        "Role": "WRITER",
    }


def test_changes_and_goes(world: World) -> None:
    changes = world.change({"num_cluster_instances": 1, "deletion_protection": False})
    alarm = 'module.duolingo-api-db.module.alarms.module.alarms.aws_cloudwatch_metric_alarm.this["aurora-replica-lag"]'
    assert changes == {
        "module.duolingo-api-db.aws_rds_cluster.this": ["update"],
        "module.duolingo-api-db.aws_rds_cluster_instance.this[1]": ["delete"],
        alarm: ["delete"],
    }
    world.assert_settled()
    assert [instance["DBInstanceIdentifier"] for instance in instances_of(world)] == ["duolingo-api-1"]

    world.destroy()
    snapshots = world.client("rds").describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    assert [snapshot["DBClusterSnapshotIdentifier"] for snapshot in snapshots] == [f"{CLUSTER}-final"]


def encrypted(world_client: Callable[..., Any], key: str, password: str) -> str:
    blob = world_client("kms").encrypt(KeyId=key, Plaintext=password.encode())["CiphertextBlob"]
    return base64.b64encode(blob).decode()


def everything_written(world: World) -> str:
    """The state, the newest plan and what Terraform shows of both."""
    shown = [json.dumps(world.plan_json()), world.run("show", "-json").stdout, world.run("show").stdout]
    return "".join([*shown, *(path.read_text(errors="replace") for path in world.folder.glob("*.tfstate*"))])


def test_the_callers_password_is_written_nowhere(
    applied: Callable[..., World], foundation: Foundation, emulator: Any
) -> None:
    key = emulator.client("kms").create_key()["KeyMetadata"]["KeyId"]
    first = encrypted(emulator.client, key, PASSWORD)
    world = applied(WITH_PASSWORD, {"password": first, "password_version": 1})
    world.assert_settled()
    world.plan()
    assert world.outputs == {"credentials": "url"}
    cluster = cluster_of(world, "duolingo-api-words-cluster")
    assert "MasterUserSecret" not in cluster
    assert {member["DBInstanceIdentifier"] for member in cluster["DBClusterMembers"]} == {
        "duolingo-api-words-1",
        "duolingo-api-words-2",
    }
    assert PASSWORD not in everything_written(world)

    # Another password is seen by its version only.
    second = encrypted(emulator.client, key, "a new password")
    changes = world.change({"password": second, "password_version": 2})
    assert changes == {"module.duolingo-api-db.aws_rds_cluster.this": ["update"]}
    assert "a new password" not in everything_written(world)
    world.assert_settled()
    world.destroy()

"""A daemon, applied: its queues, scaling, table, bucket and permissions as AWS holds them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import Foundation, World

pytestmark = pytest.mark.e2e

ACCOUNT = "123456789012"
QUEUES = {
    "duolingo-mailer-prod": "120",
    "duolingo-mailer-prod_payments.fifo": "120",
}
BUCKET = f"duolingo-mailer-prod-payloads-{ACCOUNT}-us-east-1"
TAGS = {
    "environment": "prod",
    "product": "duolingo",
    "service": "mailer",
    "owner": "Learning Team",
    "managed-by": "terraform",
}


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied("ecs_worker_service", {"service_version": "1.4.2"})


def _attributes(world: World, queue: str) -> dict[str, Any]:
    sqs = world.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]  # type: ignore[no-any-return]


def _arn(queue: str) -> str:
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}"


def _dead(queue: str) -> str:
    return queue.replace(".fifo", "") + "_dead_letter" + (".fifo" if queue.endswith(".fifo") else "")


def _container(world: World) -> dict[str, Any]:
    ecs = world.client("ecs")
    task = ecs.describe_task_definition(taskDefinition="duolingo-mailer-prod")["taskDefinition"]
    return next(c for c in task["containerDefinitions"] if c["name"] == "duolingo-mailer")


def _statements(world: World, role: str, policy: str) -> dict[str, Any]:
    document = world.client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    return {" ".join(s["Action"]): s["Resource"] for s in document["Statement"]}


def test_settled(world: World) -> None:
    world.assert_settled()


@pytest.mark.parametrize("queue", QUEUES)
def test_queue(world: World, queue: str) -> None:
    attributes = _attributes(world, queue)
    assert attributes["SqsManagedSseEnabled"] == "true"
    assert attributes["VisibilityTimeout"] == QUEUES[queue]
    assert attributes["ReceiveMessageWaitTimeSeconds"] == "20"
    assert attributes.get("FifoQueue", "false") == str(queue.endswith(".fifo")).lower()
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"] == _arn(_dead(queue))
    assert redrive["maxReceiveCount"] == (50 if queue.endswith(".fifo") else 5)
    assert json.loads(attributes["RedriveAllowPolicy"]) == {"redrivePermission": "denyAll"}


@pytest.mark.parametrize("queue", QUEUES)
def test_dead_letter_queue(world: World, queue: str) -> None:
    attributes = _attributes(world, _dead(queue))
    assert attributes["SqsManagedSseEnabled"] == "true"
    assert attributes["MessageRetentionPeriod"] == "1209600"
    assert json.loads(attributes["RedriveAllowPolicy"]) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [_arn(queue)],
    }


@pytest.mark.parametrize("queue", [*QUEUES, *map(_dead, QUEUES)])
def test_nobody_calls_a_queue_without_tls(world: World, queue: str) -> None:
    for statement in json.loads(_attributes(world, queue)["Policy"])["Statement"]:
        assert statement["Effect"] == "Deny"
        assert statement["Principal"] == "*"
        assert statement["Resource"] == _arn(queue)
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        # SQS takes no more in one statement.
        assert len(statement["Action"]) <= 7


def test_what_a_task_is_told(world: World) -> None:
    environment = {entry["name"]: entry["value"] for entry in _container(world)["environment"]}
    sqs = world.client("sqs")
    assert environment["QUEUE_URL"] == sqs.get_queue_url(QueueName="duolingo-mailer-prod")["QueueUrl"]
    payments = sqs.get_queue_url(QueueName="duolingo-mailer-prod_payments.fifo")["QueueUrl"]
    assert environment["QUEUE_PAYMENTS_URL"] == payments
    assert environment["COORDINATION_TABLE"] == "duolingo-mailer-prod"
    assert environment["PAYLOAD_BUCKET"] == BUCKET
    assert environment["HEALTH_PORT"] == "5001"


def test_what_a_task_may_do(world: World) -> None:
    role = "duolingo-mailer-prod-task"
    assert _statements(world, role, "queue") == {
        "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage": [
            _arn(queue) for queue in QUEUES
        ],
        "sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage": [_arn(_dead(queue)) for queue in QUEUES],
    }
    assert _statements(world, role, "coordination") == {
        "dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem": [
            f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/duolingo-mailer-prod"
        ]
    }
    assert _statements(world, role, "payloads") == {
        "s3:DeleteObject s3:GetObject s3:PutObject": [f"arn:aws:s3:::{BUCKET}/*"],
        "s3:ListBucket": [f"arn:aws:s3:::{BUCKET}"],
    }


def test_what_a_sender_may_do(world: World) -> None:
    statements = json.loads(world.outputs["send_policy_json"])["Statement"]
    assert {" ".join(s["Action"]): s["Resource"] for s in statements} == {
        "sqs:GetQueueAttributes sqs:SendMessage": [_arn(queue) for queue in QUEUES],
        "s3:DeleteObject s3:PutObject": [f"arn:aws:s3:::{BUCKET}/*"],
    }


def _policies(world: World) -> dict[str, dict[str, Any]]:
    answer = world.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")
    return {policy["PolicyName"]: policy for policy in answer["ScalingPolicies"]}


def test_scales_on_the_backlog_of_a_task(world: World) -> None:
    policy = _policies(world)["backlog"]["TargetTrackingScalingPolicyConfiguration"]
    assert policy["TargetValue"] == 100
    metrics = {metric["Id"]: metric for metric in policy["CustomizedMetricSpecification"]["Metrics"]}
    # As many as CloudWatch takes: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html
    assert len(metrics) <= 10
    assert [name for name, metric in metrics.items() if metric["ReturnData"]] == ["backlog"]
    assert metrics["backlog"]["Expression"] == (
        "(visible_main + FILL(in_flight_main, 0) + visible_payments + FILL(in_flight_payments, 0))"
        " / IF(FILL(tasks, 0) > 0, tasks, 1)"
    )
    assert metrics["tasks"]["Expression"] == "FILL(running, REPEAT)"
    running = metrics["running"]["MetricStat"]
    assert (running["Metric"]["MetricName"], running["Stat"]) == ("CPUUtilization", "SampleCount")
    seen = {
        (stat["Metric"]["MetricName"], stat["Metric"]["Dimensions"][0]["Value"])
        for stat in (metric["MetricStat"] for metric in metrics.values() if "MetricStat" in metric)
        if stat["Metric"]["Namespace"] == "AWS/SQS"
    }
    assert seen == {
        (f"ApproximateNumberOfMessages{state}", queue) for state in ("Visible", "NotVisible") for queue in QUEUES
    }


def test_a_message_wakes_it(world: World) -> None:
    policy = _policies(world)["wake"]
    step = policy["StepScalingPolicyConfiguration"]
    assert step["StepAdjustments"] == [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]
    alarm = world.client("cloudwatch").describe_alarms(AlarmNames=["duolingo-mailer-prod-wake"])["MetricAlarms"][0]
    assert alarm["AlarmActions"] == [policy["PolicyARN"]]
    expressions = [metric["Expression"] for metric in alarm["Metrics"] if "Expression" in metric]
    assert expressions == ["IF(FILL(running, 0) > 0, 0, FILL(visible_main, 0) + FILL(visible_payments, 0))"]
    target = world.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    assert [(t["MinCapacity"], t["MaxCapacity"]) for t in target["ScalableTargets"]] == [(0, 8)]


def test_table(world: World) -> None:
    dynamodb = world.client("dynamodb")
    table = dynamodb.describe_table(TableName="duolingo-mailer-prod")["Table"]
    assert table["KeySchema"] == [{"AttributeName": "key", "KeyType": "HASH"}]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    ttl = dynamodb.describe_time_to_live(TableName="duolingo-mailer-prod")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    backups = dynamodb.describe_continuous_backups(TableName="duolingo-mailer-prod")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_bucket(world: World) -> None:
    s3 = world.client("s3")
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    controls = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert controls == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    dead = _attributes(world, _dead("duolingo-mailer-prod"))
    kept = int(_attributes(world, "duolingo-mailer-prod")["MessageRetentionPeriod"]) + int(
        dead["MessageRetentionPeriod"]
    )
    assert rule["Expiration"]["Days"] * 86_400 > kept
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_everything_is_billed(world: World) -> None:
    sqs = world.client("sqs")
    for queue in [*QUEUES, *map(_dead, QUEUES)]:
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == TAGS
    bucket = world.client("s3").get_bucket_tagging(Bucket=BUCKET)["TagSet"]
    table = world.client("dynamodb").list_tags_of_resource(
        ResourceArn=f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/duolingo-mailer-prod"
    )["Tags"]
    for tags in (bucket, table):
        assert {tag["Key"]: tag["Value"] for tag in tags} == TAGS


# Last, because the others read what was applied first.
def test_a_release_replaces_the_task_definition_and_nothing_else(world: World) -> None:
    changes = world.change({"service_version": "1.4.3"})
    assert {address.rpartition("module.")[2]: actions for address, actions in changes.items()} == {
        "task.aws_ecs_task_definition.this": ["delete", "create"],
        "service[0].aws_ecs_service.this": ["update"],
    }
    assert _container(world)["image"].endswith(":1.4.3")
    world.assert_settled()
    world.destroy()

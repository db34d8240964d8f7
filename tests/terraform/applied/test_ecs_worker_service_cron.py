"""A cron job, applied: its schedule, the state machine of a run, what failures tell, and the watch over silence."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from baselib.worker.cron.schedule import parse_time
from tests.terraform.applied.conftest import Foundation, World
from tests.terraform.applied.state_machine import ended, run

pytestmark = pytest.mark.e2e

ACCOUNT = "123456789012"
NAME = "duolingo-report-prod"
TAGS = {
    "environment": "prod",
    "product": "duolingo",
    "service": "report",
    "owner": "Learning Team",
    "managed-by": "terraform",
}


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied("cron", {"service_version": "1.4.2"})


@pytest.fixture(scope="module")
def definition(world: World) -> str:
    machine = world.client("stepfunctions").describe_state_machine(stateMachineArn=world.outputs["state_machine_arn"])
    return machine["definition"]  # type: ignore[no-any-return]


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"


MACHINE = _arn("states", f"stateMachine:{NAME}")
FAILED_RUNS = _arn("sqs", f"{NAME}_failed_runs")


def _statements(world: World, role: str, policy: str) -> dict[str, Any]:
    document = world.client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    return {" ".join(s["Action"]): s["Resource"] for s in document["Statement"]}


def _trust(world: World, role: str) -> dict[str, Any]:
    (statement,) = world.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    return {"who": statement["Principal"], **statement["Condition"]}


def test_settled(world: World) -> None:
    world.assert_settled()


def test_schedule(world: World) -> None:
    schedule = world.client("scheduler").get_schedule(Name=NAME, GroupName=NAME)
    assert schedule["ScheduleExpression"] == "cron(0 3 * * ? *)"
    target = schedule["Target"]
    assert target["Arn"] == MACHINE
    assert target["DeadLetterConfig"] == {"Arn": FAILED_RUNS}
    # EventBridge Scheduler replaces this text, and would not find it escaped.
    assert "<aws.scheduler.scheduled-time>" in target["Input"]
    assert json.loads(target["Input"]) == {"scheduled_time": "<aws.scheduler.scheduled-time>"}


def test_what_the_scheduler_may_do(world: World) -> None:
    assert _statements(world, f"{NAME}-scheduler", "run") == {
        "states:StartExecution": [MACHINE],
        "sqs:SendMessage": [FAILED_RUNS],
    }
    assert _trust(world, f"{NAME}-scheduler") == {
        "who": {"Service": "scheduler.amazonaws.com"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": _arn("scheduler", f"schedule-group/{NAME}")},
    }


def test_what_a_run_may_do(world: World) -> None:
    log_deliveries = (
        "logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeResourcePolicies logs:GetLogDelivery "
        "logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery"
    )
    assert _statements(world, f"{NAME}-run", "run") == {
        "ecs:RunTask": [_arn("ecs", f"task-definition/{NAME}:*")],
        "ecs:TagResource": [_arn("ecs", "task/prod/*")],
        "ecs:DescribeTasks ecs:StopTask": [_arn("ecs", "task/prod/*")],
        "iam:PassRole": [f"arn:aws:iam::{ACCOUNT}:role/{NAME}-task", f"arn:aws:iam::{ACCOUNT}:role/{NAME}-execution"],
        "events:DescribeRule events:PutRule events:PutTargets": [
            _arn("events", "rule/StepFunctionsGetEventsForECSTaskRule")
        ],
        "logs:DescribeLogGroups": [_arn("logs", "log-group:*")],
        log_deliveries: ["*"],
    }
    assert _trust(world, f"{NAME}-run") == {
        "who": {"Service": "states.amazonaws.com"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnEquals": {"aws:SourceArn": MACHINE},
    }


def test_what_a_task_may_do(world: World) -> None:
    assert _statements(world, f"{NAME}-task", "coordination") == {
        "dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem": [_arn("dynamodb", f"table/{NAME}")]
    }


def test_state_machine(world: World) -> None:
    machine = world.client("stepfunctions").describe_state_machine(stateMachineArn=world.outputs["state_machine_arn"])
    assert machine["stateMachineArn"] == MACHINE
    assert machine["type"] == "STANDARD"
    assert machine["loggingConfiguration"]["level"] == "ERROR"
    parameters = json.loads(machine["definition"])["States"]["Run"]["Parameters"]
    assert parameters["TaskDefinition"] == _arn("ecs", f"task-definition/{NAME}:1")
    assert parameters["CapacityProviderStrategy"] == [{"CapacityProvider": "on-demand-prod", "Weight": 1}]
    assert parameters["Overrides"]["ContainerOverrides"] == [
        {
            "Name": "duolingo-report",
            "Environment": [{"Name": "SCHEDULED_TIME", "Value.$": "$.scheduled_time"}],
        }
    ]


JOB = "duolingo-report"
SCHEDULED = {"scheduled_time": "2026-11-23T03:00:00Z"}
NO_ROOM = ("AmazonECS.Unknown", "RESOURCE:MEMORY")

RUNS: dict[str, tuple[list[tuple[str, str] | None], str, list[int]]] = {
    "the job finishes": ([None], "SUCCEEDED", []),
    "it crashes once": ([ended((JOB, 70)), None], "SUCCEEDED", [60]),
    "it crashes each time": ([ended((JOB, 70))] * 3, "FAILED", [60, 120]),
    "its memory is too small": ([ended((JOB, 75)), ended((JOB, 137)), None], "SUCCEEDED", [60, 120]),
    "a variable is wrong": ([ended((JOB, 78))], "FAILED", []),
    "a variable is wrong at the second attempt": ([ended((JOB, 70)), ended((JOB, 78))], "FAILED", [60]),
    "only the side-car is killed": ([ended((JOB, 0), ("metrics", 137))], "SUCCEEDED", []),
    "the side-car ends well and the job does not": ([ended(("metrics", 0), (JOB, 70)), None], "SUCCEEDED", [60]),
    "the side-car says 78": ([ended((JOB, 70), ("metrics", 78)), None], "SUCCEEDED", [60]),
    "the container never started": ([ended((JOB, None)), None], "SUCCEEDED", [60]),
    "there is no room for it": ([NO_ROOM, None], "SUCCEEDED", [60]),
    "there is never room for it": ([NO_ROOM] * 3, "FAILED", [60, 120]),
    "ECS says no more than that it failed": ([("States.TaskFailed", "Task failed to start"), None], "SUCCEEDED", [60]),
    "it hangs": ([("States.Timeout", "")], "FAILED", []),
}


@pytest.mark.parametrize("case", RUNS)
def test_a_run(definition: str, case: str) -> None:
    ends, status, pauses = RUNS[case]
    outcome = run(definition, ends, SCHEDULED)
    assert (outcome.status, outcome.pauses, len(outcome.tasks)) == (status, pauses, len(ends))
    assert outcome.error == ("RunFailed" if status == "FAILED" else "")
    # Each attempt works on the same scheduled time.
    for task in outcome.tasks:
        (container,) = task["Overrides"]["ContainerOverrides"]
        assert container["Environment"] == [{"Name": "SCHEDULED_TIME", "Value": "2026-11-23T03:00:00Z"}]


def test_a_run_by_hand(definition: str) -> None:
    (task,) = run(definition, [None], {}).tasks
    (variable,) = task["Overrides"]["ContainerOverrides"][0]["Environment"]
    # moto has a datetime here, where AWS has text.
    assert parse_time(str(variable["Value"])) <= datetime.now(UTC)


def test_the_end_of_a_failed_task_is_told(world: World) -> None:
    events = world.client("events")
    rule = events.describe_rule(Name=f"{NAME}_failed_run")
    assert json.loads(rule["EventPattern"]) == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [_arn("ecs", "cluster/prod")],
            "group": [f"family:{NAME}"],
            "lastStatus": ["STOPPED"],
            "$or": [
                {"containers": {"name": ["duolingo-report"], "exitCode": [{"anything-but": [0]}]}},
                {"stopCode": ["TaskFailedToStart"]},
            ],
        },
    }
    assert [target["Arn"] for target in events.list_targets_by_rule(Rule=f"{NAME}_failed_run")["Targets"]] == [
        FAILED_RUNS
    ]
    sqs = world.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{NAME}_failed_runs")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["SqsManagedSseEnabled"] == "true"
    deny, allow = json.loads(attributes["Policy"])["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert allow["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnEquals": {"aws:SourceArn": _arn("events", f"rule/{NAME}_failed_run")},
    }


def _alarm(world: World, name: str) -> dict[str, Any]:
    (alarm,) = world.client("cloudwatch").describe_alarms(AlarmNames=[f"{NAME}-{name}"])["MetricAlarms"]
    return alarm  # type: ignore[no-any-return]


def _watched(alarm: dict[str, Any]) -> set[tuple[str, str, str]]:
    stats = [metric["MetricStat"]["Metric"] for metric in alarm["Metrics"] if "MetricStat" in metric]
    return {
        (stat["Namespace"], stat["MetricName"], stat["Dimensions"][0]["Value"] if stat["Dimensions"] else "")
        for stat in stats
    }


def test_a_failed_run_rings(world: World) -> None:
    assert _watched(_alarm(world, "run-failed")) == {
        ("AWS/States", "ExecutionsFailed", MACHINE),
        ("AWS/States", "ExecutionsTimedOut", MACHINE),
        ("AWS/States", "ExecutionsAborted", MACHINE),
        ("AWS/Scheduler", "InvocationDroppedCount", NAME),
    }
    assert _watched(_alarm(world, "attempt-failed")) == {("AWS/Events", "Invocations", f"{NAME}_failed_run")}
    assert _alarm(world, "run-failed")["AlarmActions"] != _alarm(world, "attempt-failed")["AlarmActions"]


def test_silence_rings(world: World) -> None:
    (log_filter,) = world.client("logs").describe_metric_filters(logGroupName="/ecs/prod/duolingo-report")[
        "metricFilters"
    ]
    assert log_filter["filterPattern"] == '{ $.message = "cron finished" }'
    (transformation,) = log_filter["metricTransformations"]
    alarm = _alarm(world, "silence")
    assert _watched(alarm) == {(transformation["metricNamespace"], transformation["metricName"], "")}
    assert alarm["TreatMissingData"] == "breaching"
    # A day, and one hour more.
    assert (alarm["EvaluationPeriods"], alarm["Metrics"][0]["MetricStat"]["Period"]) == (25, 3600)


def test_everything_is_billed(world: World) -> None:
    sqs, states, scheduler = world.client("sqs"), world.client("stepfunctions"), world.client("scheduler")
    url = sqs.get_queue_url(QueueName=f"{NAME}_failed_runs")["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == TAGS
    tags = states.list_tags_for_resource(resourceArn=MACHINE)["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == TAGS
    group = scheduler.get_schedule_group(Name=NAME)["Arn"]
    tags = scheduler.list_tags_for_resource(ResourceArn=group)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == TAGS


# Last, because the others read what was applied first.
def test_a_monthly_schedule_gets_a_deadline_check(world: World) -> None:
    changes = world.change({"schedule": "cron(0 3 1 * ? *)"})
    made = {address.rpartition("module.")[2] for address, actions in changes.items() if actions == ["create"]}
    assert made == {
        "deadline_check[0].aws_iam_role.this",
        "deadline_check[0].aws_iam_role_policy.this",
        "deadline_check[0].aws_sfn_state_machine.this",
        "deadline_check[0].aws_scheduler_schedule.this",
    }
    world.assert_settled()

    check = _arn("states", f"stateMachine:{NAME}_deadline")
    machine = world.client("stepfunctions").describe_state_machine(stateMachineArn=check)
    arguments = json.loads(machine["definition"])["States"]["Look for a finished run"]["Arguments"]
    # The longest month, and one hour more, in milliseconds.
    assert arguments["StartTime"] == f"{{% $fromMillis($millis() - {(31 * 24 + 1) * 3_600_000}) %}}"
    (transformation,) = world.client("logs").describe_metric_filters(logGroupName="/ecs/prod/duolingo-report")[
        "metricFilters"
    ][0]["metricTransformations"]
    assert (arguments["Namespace"], arguments["MetricName"]) == (
        transformation["metricNamespace"],
        transformation["metricName"],
    )
    schedule = world.client("scheduler").get_schedule(Name=f"{NAME}_deadline", GroupName=NAME)
    assert (schedule["ScheduleExpression"], schedule["Target"]["Arn"]) == ("rate(1 hour)", check)

    alarm = _alarm(world, "silence")
    assert _watched(alarm) == {("AWS/States", "ExecutionsSucceeded", check)}
    assert alarm["TreatMissingData"] == "breaching"
    assert _statements(world, f"{NAME}-deadline", "check") == {
        "cloudwatch:GetMetricStatistics": ["*"],
        "states:StartExecution": [check],
    }


def test_a_release_runs_the_new_revision(world: World) -> None:
    changes = world.change({"service_version": "1.4.3"})
    assert {address.rpartition("module.")[2]: actions for address, actions in changes.items()} == {
        "task.aws_ecs_task_definition.this": ["delete", "create"],
        "run[0].aws_sfn_state_machine.this": ["update"],
    }
    world.assert_settled()
    machine = world.client("stepfunctions").describe_state_machine(stateMachineArn=MACHINE)
    assert json.loads(machine["definition"])["States"]["Run"]["Parameters"]["TaskDefinition"].endswith(":2")
    world.destroy()

"""State machines of jobs, run by moto's interpreter of their language, with tasks of ECS that end as they are told."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import boto3
from moto import mock_aws
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_ecs import (
    StateTaskServiceEcs,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

SECONDS = 30

# moto does not know the strategy, which Step Functions takes like every parameter of RunTask:
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html and https://github.com/aws/aws-cdk/pull/35465
PARAMETERS = {
    "CapacityProviderStrategy",
    "Cluster",
    "LaunchType",
    "NetworkConfiguration",
    "Overrides",
    "PlacementStrategy",
    "PropagateTags",
    "TaskDefinition",
}


@dataclass
class Outcome:
    """What became of one execution.

    Attributes:
        status: Such as `SUCCEEDED`.
        error: The error of one that failed.
        tasks: The parameters of each task that was started.
        pauses: The seconds between them.
    """

    status: str = ""
    error: str = ""
    tasks: list[dict[str, Any]] = field(default_factory=list)
    pauses: list[int] = field(default_factory=list)


def ended(*containers: tuple[str, int | None]) -> tuple[str, str]:
    """How Step Functions tells of a task of which any container ended with another code than 0.

    Args:
        containers: The name and exit code of each; a container that never started has none.
    """
    described = [
        {"Name": name, "LastStatus": "STOPPED"} | ({} if code is None else {"ExitCode": code})
        for name, code in containers
    ]
    cause = {"Containers": described, "LastStatus": "STOPPED", "StopCode": "EssentialContainerExited"}
    return "States.TaskFailed", json.dumps(cause, separators=(",", ":"))


def run(definition: str, ends: list[tuple[str, str] | None], given: dict[str, Any]) -> Outcome:
    """Run a definition.

    Args:
        definition: The JSON of the state machine.
        ends: How each attempt's task ends: with an error and its cause, or well.
        given: The input of the execution.
    """
    outcome = Outcome()
    left = iter(ends)

    def task(self: Any, env: Any, normalised_parameters: dict[str, Any], **_: Any) -> None:
        outcome.tasks.append(normalised_parameters)
        end = next(left)
        if end is not None:
            error, cause = end
            raise FailureEventException(
                FailureEvent(
                    env=env,
                    error_name=_named(error),
                    event_type=HistoryEventType.TaskFailed,
                    event_details=EventDetails(  # type: ignore[typeddict-item]
                        taskFailedEventDetails=TaskFailedEventDetails(
                            error=error, cause=cause, resource="runTask.sync", resourceType="ecs"
                        )
                    ),
                )
            )
        env.stack.append({})

    def pause(self: Any, env: Any, wait_seconds: int) -> None:
        outcome.pauses.append(wait_seconds)

    with (
        _interpreter() as states,
        mock.patch.object(StateTaskServiceEcs, "_eval_service_task", task),
        # Nothing to wait for: a task has ended when it was started.
        mock.patch.object(StateTaskServiceEcs, "_eval_integration_pattern", return_value=None),
        mock.patch.object(StateTaskServiceEcs, "_get_supported_parameters", return_value=PARAMETERS),
        mock.patch.object(WaitFunction, "_wait_interval", pause),
    ):
        machine = states.create_state_machine(
            name="job", definition=definition, roleArn="arn:aws:iam::123456789012:role/job"
        )["stateMachineArn"]
        execution = states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
        limit = time.monotonic() + SECONDS
        while (status := states.list_executions(stateMachineArn=machine)["executions"][0]["status"]) == "RUNNING":
            assert time.monotonic() < limit, "the execution does not end"
            time.sleep(0.02)
        # Of one that succeeded moto cannot describe the output, if the interpreter's own clock is in it.
        error = states.describe_execution(executionArn=execution)["error"] if status == "FAILED" else ""
    outcome.status, outcome.error = status, error
    return outcome


def _named(error: str) -> ErrorName:
    return (
        StatesErrorName(StatesErrorNameType.from_name(error)) if error.startswith("States.") else CustomErrorName(error)
    )


@contextmanager
def _interpreter() -> Iterator[Any]:
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield boto3.client(
            "stepfunctions", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )

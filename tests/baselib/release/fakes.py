"""An ECS that does what a test says, where moto has no answer: exit codes, roll-backs, tasks that never end."""

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from baselib.release.deployed import Ecs

if TYPE_CHECKING:
    from collections.abc import Callable

DIGESTS = {name: f"sha256:{name * 64}" for name in "abc"}
REPOSITORY = "registry.example.com/team/api"
SERVICE = "duolingo-api"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:duolingo-api-prod"


class FakeEcs:
    """What boto3's client of ECS answers.

    Attributes:
        definitions: Image by task definition.
        current: The service's task definition; None when there is no service.
        rollouts: The state of the deployment at each look, the last one for ever.
        exit_code: What the one-off task ends with; None when it never ends.
        started: What `run_task` was called with.
        stopped: The tasks that were stopped.
    """

    class exceptions:  # noqa: N801 - as in boto3
        """Errors by name."""

        class ClusterNotFoundException(Exception):  # noqa: N818
            """There is no such cluster."""

    def __init__(self) -> None:
        self.definitions = {"family:1": f"{REPOSITORY}@{DIGESTS['a']}", "family:2": f"{REPOSITORY}@{DIGESTS['b']}"}
        self.current: str | None = "family:1"
        self.rollouts = ["COMPLETED"]
        self.exit_code: int | None = 0
        self.refused: list[dict[str, str]] = []
        self.started: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.on_look: Callable[[], None] = lambda: None

    def describe_services(self, cluster: str, services: list[str]) -> dict[str, Any]:
        self.on_look()
        if self.current is None:
            return {"services": []}
        state = self.rollouts.pop(0) if len(self.rollouts) > 1 else self.rollouts[0]
        deployments = [{"status": "PRIMARY", "rolloutState": state, "taskDefinition": self.current}]
        if state == "IN_PROGRESS":
            deployments.append({"status": "ACTIVE", "rolloutState": "COMPLETED", "taskDefinition": "family:1"})
        return {
            "services": [
                {
                    "status": "ACTIVE",
                    "taskDefinition": self.current,
                    "deployments": deployments,
                    "capacityProviderStrategy": [{"capacityProvider": "on-demand-prod", "weight": 1}],
                    "launchType": "EC2",
                    "networkConfiguration": {},
                }
            ]
        }

    def describe_task_definition(self, taskDefinition: str) -> dict[str, Any]:  # noqa: N803
        options = {"awslogs-group": "/ecs/prod/duolingo-api", "awslogs-stream-prefix": SERVICE}
        containers = [
            {"name": "metrics", "image": "agent:1"},
            {
                "name": SERVICE,
                "image": self.definitions[taskDefinition],
                "logConfiguration": {"options": options},
            },
        ]
        return {"taskDefinition": {"containerDefinitions": containers}}

    def run_task(self, **arguments: Any) -> dict[str, Any]:
        self.started.append(arguments)
        if self.refused:
            return {"tasks": [], "failures": self.refused}
        return {"tasks": [{"taskArn": "arn:aws:ecs:eu-west-1:123456789012:task/prod/0a1b"}], "failures": []}

    def describe_tasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        ended = self.exit_code is not None
        container = {"name": SERVICE, **({"exitCode": self.exit_code} if ended else {})}
        return {
            "tasks": [
                {
                    "lastStatus": "STOPPED" if ended else "RUNNING",
                    "stoppedReason": "Essential container in task exited",
                    "containers": [{"name": "metrics", "exitCode": 0}, container],
                }
            ]
        }

    def stop_task(self, cluster: str, task: str, reason: str) -> None:
        self.stopped.append(task)


class FakeLogs:
    """What boto3's client of CloudWatch Logs answers."""

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        assert asked["logStreamName"] == f"{SERVICE}/{SERVICE}/0a1b"
        return {"events": [{"message": "relation orders already exists"}]}


class FakeStates:
    """What boto3's client of Step Functions answers.

    Attributes:
        definition: The task definition that the cron job runs; None when there is no state machine.
        refusal: The error when there is none.
    """

    def __init__(self) -> None:
        self.definition: str | None = None
        self.refusal = "StateMachineDoesNotExist"

    def describe_state_machine(self, stateMachineArn: str) -> dict[str, Any]:  # noqa: N803
        assert stateMachineArn == MACHINE
        if self.definition is None:
            raise ClientError({"Error": {"Code": self.refusal, "Message": ""}}, "DescribeStateMachine")
        run = {
            "Type": "Task",
            "Resource": "arn:aws:states:::ecs:runTask.sync",
            "Parameters": {
                "Cluster": "prod",
                "TaskDefinition": self.definition,
                "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Weight": 1}],
                "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-1"]}},
                "Overrides": {"ContainerOverrides": []},
            },
        }
        return {"definition": json.dumps({"States": {"First attempt": {"Type": "Pass"}, "Run": run}})}


def ecs_of(client: FakeEcs, states: FakeStates | None = None) -> Ecs:
    """The service in ECS, which waits for nothing."""
    return Ecs(client, "prod", SERVICE, "family", states or FakeStates(), MACHINE, lambda _seconds: None)

"""What runs in an environment, as ECS says it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from baselib.release.errors import ReleaseError, explained
from baselib.release.image import Image

_POLL_SECONDS: Final = 5.0


def container_image(definition: dict[str, Any], name: str) -> Image:
    """The image of a task definition's container of a name; of the first one when none has it."""
    containers = definition["containerDefinitions"]
    found = next((each for each in containers if each["name"] == name), containers[0])
    return Image.parse(found["image"])


@dataclass(frozen=True, slots=True)
class Ecs:
    """The service in ECS.

    Attributes:
        client: boto3's client.
        cluster: The cluster.
        service: The service's name, which is also its container's.
        family: The family of its task definitions.
        states: boto3's client of Step Functions.
        state_machine: The ARN of the state machine that runs it, if it is a cron job.
        pause: Waits some seconds.
    """

    client: Any
    cluster: str
    service: str
    family: str
    states: Any
    state_machine: str
    pause: Callable[[float], object] = time.sleep

    def running(self) -> dict[str, Any] | None:
        """The service; None when there is none, before the first release or for a cron job.

        Raises:
            ReleaseError: ECS cannot be asked.
        """
        with explained(f"look up the service {self.service} in the cluster {self.cluster}"):
            try:
                answer = self.client.describe_services(cluster=self.cluster, services=[self.service])
            except self.client.exceptions.ClusterNotFoundException:
                return None
        found = [each for each in answer["services"] if each["status"] == "ACTIVE"]
        return found[0] if found else None

    def job(self) -> dict[str, Any] | None:
        """With which parameters of RunTask a cron job is run; None when there is no such job.

        Raises:
            ReleaseError: Step Functions cannot be asked.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415

        with explained(f"look up the state machine {self.state_machine}"):
            try:
                answer = self.states.describe_state_machine(stateMachineArn=self.state_machine)
            except ClientError as error:
                # Before the first release of what is no job: its pipeline's roles may not even ask.
                if error.response["Error"]["Code"] in {"StateMachineDoesNotExist", "AccessDeniedException"}:
                    return None
                raise
        states = json.loads(answer["definition"])["States"].values()
        return next((state["Parameters"] for state in states if "ecs:runTask" in state.get("Resource", "")), None)

    def image(self) -> Image | None:
        """The image that runs: that of the service's task definition, or of the one that a cron job's next run takes.

        The newest definition of the family is not it: that is there before the migrations, also when they fail.

        Raises:
            ReleaseError: AWS cannot be asked.
        """
        running = self.running()
        name = running["taskDefinition"] if running else (self.job() or {}).get("TaskDefinition")
        if name is None:
            return None
        with explained(f"look up the task definition {name}"):
            definition = self.client.describe_task_definition(taskDefinition=name)["taskDefinition"]
        return container_image(definition, self.service)

    def wait_until_stable(self, image: Image, seconds: float) -> None:
        """Wait until the service's deployment has ended, and see that it has ended well.

        Terraform's apply ends when ECS has accepted the deployment. If the new tasks do not become healthy, ECS rolls
        back by itself and nobody is told.

        Args:
            image: What was released.
            seconds: For how long to wait at most.

        Raises:
            ReleaseError: ECS rolled back, or did not end in time.
        """
        deadline = time.monotonic() + seconds
        while True:
            running = self.running()
            if running is None:
                return
            newest = max(
                running["deployments"], key=lambda each: (each["status"] == "PRIMARY", str(each.get("createdAt")))
            )
            state = newest.get("rolloutState", "COMPLETED")
            current = self.image()
            if current is not None and current.version != image.version:
                raise ReleaseError(
                    f"the tasks of {image.version} did not become healthy, and ECS rolled back: {current.version} runs"
                )
            if state == "FAILED":
                raise ReleaseError(f"the deployment of {image.version} failed: {newest.get('rolloutStateReason', '')}")
            if state == "COMPLETED" and len(running["deployments"]) == 1:
                return
            if time.monotonic() >= deadline:
                raise ReleaseError(
                    f"the deployment of {image.version} goes on after {seconds:g} s; ECS ends it, or rolls it back"
                )
            self.pause(_POLL_SECONDS)

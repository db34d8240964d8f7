"""The one-off task that migrates the database, on the new image and before any new task of the service starts."""

import time
from typing import Any, Final

from baselib.release.deployed import Ecs
from baselib.release.errors import ReleaseError, explained

_POLL_SECONDS: Final = 3.0
_SHOWN_LINES: Final = 30
_STARTED_BY: Final = "baselib-release"


def migrate(ecs: Ecs, logs: Any, definition: str, placement: dict[str, Any], package: str, seconds: float) -> str:
    """Run `baselib migrate` once, as a task of its own.

    Args:
        ecs: The service.
        logs: boto3's client of CloudWatch Logs.
        definition: The new task definition's ARN.
        placement: Where the service's tasks run, as `run_task` takes it.
        package: The service's package.
        seconds: For how long to wait at most; the task is stopped then.

    Returns:
        The id of the task.

    Raises:
        ReleaseError: It did not end with exit code 0; the message holds what it logged last.
    """
    with explained("start the migrations"):
        answer = ecs.client.run_task(
            cluster=ecs.cluster,
            taskDefinition=definition,
            count=1,
            startedBy=_STARTED_BY,
            propagateTags="TASK_DEFINITION",
            overrides={
                "containerOverrides": [{"name": ecs.service, "command": ["baselib", "migrate", package]}],
            },
            **placement,
        )
    if not answer["tasks"]:
        reasons = ", ".join(failure.get("reason", "?") for failure in answer.get("failures", []))
        raise ReleaseError(f"the migrations could not be started: {reasons or 'ECS does not say why'}")
    task = str(answer["tasks"][0]["taskArn"])
    ended = _wait(ecs, task, seconds)
    container = next(each for each in ended["containers"] if each["name"] == ecs.service)
    if container.get("exitCode") == 0:
        return task.rpartition("/")[2]
    why = container.get("reason") or ended.get("stoppedReason") or ""
    told = "\n".join(_last_lines(ecs, logs, definition, task))
    raise ReleaseError(
        f"the migrations ended with exit code {container.get('exitCode', 'none')}"
        f"{f' ({why})' if why else ''}, so that the service was not touched\n{told}".rstrip()
    )


def _wait(ecs: Ecs, task: str, seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        with explained("follow the migrations"):
            tasks = ecs.client.describe_tasks(cluster=ecs.cluster, tasks=[task])["tasks"]
        if tasks and tasks[0]["lastStatus"] == "STOPPED":
            found: dict[str, Any] = tasks[0]
            return found
        if time.monotonic() >= deadline:
            with explained("stop the migrations"):
                ecs.client.stop_task(cluster=ecs.cluster, task=task, reason=f"no end within {seconds:g} s")
            raise ReleaseError(
                f"the migrations had no end within {seconds:g} s and were stopped, so that the service was not touched"
            )
        ecs.pause(_POLL_SECONDS)


def _last_lines(ecs: Ecs, logs: Any, definition: str, task: str) -> list[str]:
    """What the task logged; nothing when that cannot be had, because the exit code is what matters."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        found = ecs.client.describe_task_definition(taskDefinition=definition)["taskDefinition"]
        container = next(each for each in found["containerDefinitions"] if each["name"] == ecs.service)
        options = container["logConfiguration"]["options"]
        stream = f"{options['awslogs-stream-prefix']}/{ecs.service}/{task.rpartition('/')[2]}"
        events = logs.get_log_events(
            logGroupName=options["awslogs-group"], logStreamName=stream, limit=_SHOWN_LINES, startFromHead=False
        )["events"]
    except (BotoCoreError, ClientError, KeyError, StopIteration):
        return []
    return [str(event["message"]) for event in events]

"""The lock that keeps two runs of a job from overlapping: which kinds there are, and which one a job gets."""

import os
import socket
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

from baselib import container
from baselib.contract import ConfigurationError, Settings
from baselib.worker.cron.last_resort import LastResort

Overlap = Literal["skip", "wait", "allow"]


class LockUnavailableError(RuntimeError):
    """Nobody could say whether another run is going on."""


class Holder(NamedTuple):
    """Who has a lock.

    Attributes:
        name: The machine, the process, and the request id of its log lines.
        since: Since when, as text.
    """

    name: str
    since: str


class Lock(Protocol):
    """A lock that one run of a job has at a time.

    Attributes:
        token: The fencing token, once the lock is held.
    """

    token: int | None

    def acquire(self, holder: str) -> Holder | None:
        """Take it; who has it, when somebody else does.

        Args:
            holder: What another run is told of this one.

        Raises:
            LockUnavailableError: It is not known whether somebody has it.
        """

    def keep(self, lost: Callable[[str], object], last_resort: LastResort) -> None:
        """Keep it for as long as the run takes.

        Args:
            lost: Called, with the reason, when that fails.
            last_resort: Ends the process where it can neither keep the lock nor be told so.
        """

    def release(self) -> None:
        """Give it back; raises nothing."""


def holder_name(request_id: str) -> str:
    """The name of this process and its run, as another run's log line tells it."""
    return f"{socket.gethostname()}:{os.getpid()}/{request_id}"


def lock_for(
    settings: Settings, job: str, overlap: Overlap | None, lease_seconds: float, environ: Mapping[str, str]
) -> Lock | None:
    """The lock of a job; None when its runs may overlap.

    Args:
        settings: Names the table, and the service that the job belongs to.
        job: The job's name.
        overlap: What the job asked for; None stands for `skip` wherever there can be a lock.
        lease_seconds: After how long the lock of a killed run is free.
        environ: Says whether this is an ECS task.

    Raises:
        ConfigurationError: The job asked for a lock, and there can be none.
    """
    if overlap == "allow":
        return None
    repository = settings.name.repository
    if settings.coordination_table is not None:
        from baselib.worker.cron.table_lock import TableLock  # noqa: PLC0415 - AWS, where it is used

        return TableLock(settings.coordination_table, f"lock#{repository}#{job}", lease_seconds)
    if not container.on_ecs(environ):
        from baselib.worker.cron.file_lock import FileLock  # noqa: PLC0415 - this system may have no such locks

        return FileLock(f"{repository}-{settings.environment}-{job}")
    if overlap is not None:
        problem = (
            f'COORDINATION_TABLE is not set: a job with overlap="{overlap}" needs the name of a DynamoDB table with '
            'the partition key `key` to keep its lock in; overlap="allow" does without'
        )
        raise ConfigurationError([problem])
    return None

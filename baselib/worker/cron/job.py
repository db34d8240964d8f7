"""A cron job: a function that runs once, and what it has to be told."""

import logging
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from baselib import container
from baselib.contract import ConfigurationError, DataStore, Needs
from baselib.lifecycle import LIFE, Life, Phase
from baselib.service import Service
from baselib.telemetry import flush_telemetry, metrics, start_errors
from baselib.telemetry.process import ProcessMetrics
from baselib.worker.cron.attempt import Attempt
from baselib.worker.cron.function import JobFunction, taking_run
from baselib.worker.cron.lock import Lock, Overlap, lock_for
from baselib.worker.cron.policy import Policy
from baselib.worker.cron.record import Record
from baselib.worker.cron.run import CatchUp
from baselib.worker.cron.schedule import scheduled_time

_logger = logging.getLogger("baselib.worker")


class Job:
    """A cron job.

    Args:
        function: What is done; it is given the service, and the `Run` if it has a second parameter without a default.
            It raises when it fails.
        name: What the job is called in logs, metrics and its lock; the repository's name when None. Each job of a
            service needs its own.
        deadline: Seconds after which the run is stopped and counts as failed; waiting for the lock is included.
        overlap: What becomes of a run while another one is going on: `skip` ends it with exit code 0, `wait` waits
            for the other's end, `allow` takes no lock. When None it is `skip` wherever there can be a lock: off ECS,
            and on ECS with `COORDINATION_TABLE`.
        wait: Seconds for which a run with `wait` waits before it is skipped.
        lease: Seconds for which the lock in DynamoDB is held without being renewed; a killed run's lock is free 7/6 of
            it later.
        catch_up: What becomes of scheduled times that were missed, or whose runs failed: nothing with `skip`; with
            `window` one call covers all since the last success, with `each` there is one call for each of them.
        every: Seconds from one scheduled time to the next; `each` needs them.
        most: How many periods one run makes up for with `each`; the next runs go on.
        queues: The names of queues that it sends to; their URLs become required.
        data_stores: The data stores that the service uses; their URLs become required.
        hard_dependencies: Other services that it cannot work without; their URLs become required.
        soft_dependencies: Other services that it can do without for a while.
        environ: The environment variables; `os.environ` when None.
        life: The phase of the process; a test may bring its own.

    Raises:
        ConfigurationError: A variable is wrong or missing; ends the process with exit code 78.
        TypeError: The function takes neither one argument nor two.
        ValueError: A number or a word is none that is accepted.
    """

    def __init__(
        self,
        function: JobFunction,
        *,
        name: str | None = None,
        deadline: float = 3600,
        overlap: Overlap | None = None,
        wait: float = 300,
        lease: float = 60,
        catch_up: CatchUp = "skip",
        every: float | None = None,
        most: int = 24,
        queues: Sequence[str] = (),
        data_stores: Sequence[DataStore] = (),
        hard_dependencies: Sequence[str] = (),
        soft_dependencies: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        life: Life = LIFE,
    ) -> None:
        self._function = taking_run(function)
        needs = Needs(
            kind="worker-cron",
            queues=tuple(queues),
            data_stores=tuple(data_stores),
            hard_dependencies=tuple(hard_dependencies),
            soft_dependencies=tuple(soft_dependencies),
        )
        self.service = Service(needs, environ)
        self._policy = Policy(
            name=self.service.settings.name.repository if name is None else name,
            deadline=deadline,
            overlap=overlap,
            wait=wait,
            lease=lease,
            catch_up=catch_up,
            every=every,
            most=most,
        )
        self._environ = os.environ if environ is None else environ
        self._life = life
        # Whether there can be a lock and a memory is better known before the first run.
        self._lock()
        self._record = self._find_record()

    def run(self, scheduled: datetime | None = None) -> int:
        """Run once and return the exit code; an alarm fires when `cron finished` has not been logged for too long.

        Args:
            scheduled: For when the run was scheduled; what `SCHEDULED_TIME` says when None.

        Raises:
            ConfigurationError: `SCHEDULED_TIME` is no time.
            ValueError: The time has no offset from UTC.
        """
        known = scheduled or scheduled_time(self._environ)
        if known is not None and known.tzinfo is None:
            raise ValueError(f"{known!r} has no offset from UTC")
        start_errors()
        metrics.sample(ProcessMetrics(metrics, lambda: [os.getpid()]).sample)
        self._life.advance(Phase.READY)
        lock = self._lock()
        if lock is None and self._policy.overlap is None:
            _logger.info("runs of this job may overlap: COORDINATION_TABLE is not set")
        attempt = Attempt(
            self._policy, lambda run: self._function(self.service, run), self.service.settings, lock, self._record
        )
        try:
            return int(attempt.run((known or datetime.now(UTC)).astimezone(UTC), exact=known is not None))
        finally:
            self._life.advance(Phase.STOPPED)
            flush_telemetry()

    def _lock(self) -> Lock | None:
        policy = self._policy
        return lock_for(self.service.settings, policy.name, policy.overlap, policy.lease, self._environ)

    def _find_record(self) -> Record | None:
        settings, policy = self.service.settings, self._policy
        if settings.coordination_table is not None:
            return Record(settings.coordination_table, f"cron#{settings.name.repository}#{policy.name}")
        if policy.catch_up != "skip":
            if container.on_ecs(self._environ):
                problem = (
                    f'COORDINATION_TABLE is not set: a job with catch_up="{policy.catch_up}" needs the name of a '
                    "DynamoDB table with the partition key `key` to remember in what it has covered"
                )
                raise ConfigurationError([problem])
            _logger.info("missed runs are not made up for here: COORDINATION_TABLE is not set")
        return None

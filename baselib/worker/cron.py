"""A cron job: a function that runs once; the exit code tells the scheduler how it went."""

import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from baselib.contract import DataStore, ExitCode, Needs
from baselib.lifecycle import LIFE, Life, Phase
from baselib.service import Service
from baselib.telemetry import OBSERVERS, Span, flush_telemetry, metrics, observed, start_errors
from baselib.telemetry.process import ProcessMetrics

_logger = logging.getLogger("baselib.worker")


class DeadlineExceededError(RuntimeError):
    """The run took longer than it may."""


class TerminatedError(RuntimeError):
    """The run was stopped by SIGTERM before it finished."""


class Job:
    """A cron job.

    Args:
        function: What is done; it is given the service, and raises when it fails.
        deadline: Seconds after which the run is stopped and counts as failed.
        queues: The names of queues that it sends to; their URLs become required.
        data_stores: The data stores that the service uses; their URLs become required.
        hard_dependencies: Other services that it cannot work without; their URLs become required.
        soft_dependencies: Other services that it can do without for a while.
        environ: The environment variables; `os.environ` when None.
        life: The phase of the process; a test may bring its own.

    Raises:
        ConfigurationError: A variable is wrong or missing; ends the process with exit code 78.
    """

    def __init__(
        self,
        function: Callable[[Service], object],
        *,
        deadline: float = 3600,
        queues: Sequence[str] = (),
        data_stores: Sequence[DataStore] = (),
        hard_dependencies: Sequence[str] = (),
        soft_dependencies: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        life: Life = LIFE,
    ) -> None:
        needs = Needs(
            kind="worker-cron",
            queues=tuple(queues),
            data_stores=tuple(data_stores),
            hard_dependencies=tuple(hard_dependencies),
            soft_dependencies=tuple(soft_dependencies),
        )
        self.service = Service(needs, environ)
        self._function = function
        self._deadline = deadline
        self._life = life

    def run(self) -> int:
        """Run once and return the exit code; an alarm fires when `cron finished` has not been logged for too long."""
        start_errors()
        metrics.sample(ProcessMetrics(metrics, lambda: [os.getpid()]).sample)
        self._life.advance(Phase.READY)
        previous = [signal.signal(signal.SIGALRM, self._too_long), signal.signal(signal.SIGTERM, _terminated)]
        signal.setitimer(signal.ITIMER_REAL, self._deadline)
        span = Span("job", self.service.settings.name.repository)
        try:
            with observed(span, OBSERVERS):
                code = self._run(span)
                span.tags = {"job": span.name, "outcome": span.outcome}
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in zip((signal.SIGALRM, signal.SIGTERM), previous, strict=True):
                signal.signal(number, handler)
        self._life.advance(Phase.STOPPED)
        flush_telemetry()
        return int(code)

    def _run(self, span: Span) -> ExitCode:
        # Until it has finished it has not, however it ends.
        span.outcome = "failed"
        try:
            self._function(self.service)
        except SystemExit as end:
            if end.code not in (0, None):
                span.error = end
                _logger.error("the job ended itself", extra={"code": str(end.code)})  # noqa: TRY400 - no stack helps
                return ExitCode.CRASHED
        except Exception as error:
            span.error = error
            _logger.exception("the job failed")
            return ExitCode.CRASHED
        span.outcome = "done"
        return ExitCode.FINISHED

    def _too_long(self, *_: Any) -> NoReturn:
        raise DeadlineExceededError(f"the run took longer than {self._deadline:g} s")


def _terminated(*_: Any) -> NoReturn:
    raise TerminatedError("the run was stopped by SIGTERM")

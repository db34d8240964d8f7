"""Checks run once: nothing is logged, counted, repeated or told to the service's listeners."""

from collections.abc import Sequence
from typing import Final

from baselib.health import HealthCheck
from baselib.health.scheduler import Scheduler

# A run begins a moment after it is asked for, and so does its timeout.
_GRACE_SECONDS: Final = 1.0


class Run:
    """A single run of a check, for the scheduler.

    Args:
        check: The check.

    Attributes:
        error: What went wrong, empty when nothing did; None until the run has ended.
        seconds: How long it took.
    """

    def __init__(self, check: HealthCheck) -> None:
        self.check, self.name, self.timeout = check, check.name, check.timeout
        self.error: str | None = None
        self.seconds = check.timeout

    def run(self) -> object:
        """Run the check."""
        return self.check.run()

    def attempted(self, error: str, began: float, now: float, *, hangs: bool = False) -> None:
        """Take note of the run, and ask for no other."""
        self.error, self.seconds = error, now - began


def run_once(checks: Sequence[HealthCheck]) -> list[Run]:
    """Run checks at the same time, and wait for all: at most for the longest timeout.

    Args:
        checks: The checks.
    """
    runs = [Run(check) for check in checks]
    scheduler = Scheduler()
    for run in runs:
        scheduler.add(run)
    scheduler.start()
    patience = max((run.timeout for run in runs), default=0.0) + _GRACE_SECONDS
    scheduler.wait(lambda: all(run.error is not None for run in runs), patience)
    scheduler.close()
    for run in runs:
        if run.error is None:
            run.error = f"no answer within {run.timeout:g} s"
    return runs

"""What is known of a check or a start-up function after each run; the scheduler calls it under its lock."""

import logging
import math
from collections.abc import Callable
from functools import partial
from typing import Final

from baselib.health.announcer import Announcer
from baselib.health.checks import CheckResult, HealthCheck, StartUp
from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import HEALTH_CHECKS

_logger = logging.getLogger("baselib.health")

_LONGEST_RETRY_SECONDS: Final = 30.0

Listener = Callable[[HealthCheck, CheckResult], object]


class CheckState:
    """A check's present result, which changes between healthy and not only after enough attempts in a row.

    Args:
        check: The check.
        announcer: Calls the listeners.
        listeners: Who is told when the check fails or is well again.

    Attributes:
        result: How it stands, None before the first run ended.
        last_error: The last thing that went wrong, empty when nothing ever did.
    """

    def __init__(self, check: HealthCheck, announcer: Announcer, listeners: list[Listener]) -> None:
        self.check = check
        self.result: CheckResult | None = None
        self.last_error = ""
        self._announcer = announcer
        self._listeners = listeners
        self._contradictions = 0
        self._ever_healthy = False

    @property
    def name(self) -> str:
        """The check's name."""
        return self.check.name

    @property
    def timeout(self) -> float:
        """Seconds after which a run counts as failed."""
        return self.check.timeout

    def run(self) -> object:
        """Look."""
        return self.check.run()

    def attempted(self, error: str, began: float, now: float, *, hangs: bool = False) -> float:
        """Take note of a run.

        Args:
            error: What went wrong, empty when nothing did.
            began: When it began.
            now: When it ended, or was given up.
            hangs: Whether it is still going on.

        Returns:
            Seconds until the next.
        """
        before, check = self.result, self.check
        healthy = self._verdict(not error)
        since = before.since if before is not None and before.healthy == healthy else now
        self.result = CheckResult(healthy, now - began, error, began if hangs else now, since)
        self.last_error = error or self.last_error
        self._ever_healthy = self._ever_healthy or healthy
        # Each time, because a gauge that is not repeated ends in CloudWatch.
        metrics.gauge(HEALTH_CHECKS.name, int(healthy), tags={"check": check.name})
        if healthy != (before is None or before.healthy):
            for listener in (_log, *self._listeners):
                self._announcer.tell(partial(listener, check, self.result))
        return check.pause(failed=bool(error) or not healthy)

    def _verdict(self, good: bool) -> bool:
        """Whether the check is healthy after a run: what contradicts the present state has to be said often enough."""
        if self.result is None or self.result.healthy == good:
            self._contradictions = 0
            return good
        self._contradictions += 1
        # What was never healthy need not prove that it is well *again*.
        successes = self.check.successes if self._ever_healthy else 1
        if self._contradictions < (self.check.failures if self.result.healthy else successes):
            return self.result.healthy
        self._contradictions = 0
        return good


class StartUpState:
    """How far a start-up function has come.

    Args:
        start_up: The function.
        announcer: Writes the log lines.

    Attributes:
        done: Whether it has succeeded.
        attempts: How many runs have ended.
        last_error: The last thing that went wrong, empty when nothing ever did.
    """

    # However long it takes: what it does is done then all the same.
    timeout: Final = math.inf

    def __init__(self, start_up: StartUp, announcer: Announcer) -> None:
        self._start_up = start_up
        self._announcer = announcer
        self._retry = min(start_up.retry, _LONGEST_RETRY_SECONDS)
        self.done = False
        self.attempts = 0
        self.last_error = ""

    @property
    def name(self) -> str:
        """The function's name."""
        return self._start_up.name

    def run(self) -> object:
        """Do it."""
        return self._start_up.run()

    def attempted(self, error: str, began: float, now: float, *, hangs: bool = False) -> float | None:
        """Take note of a run; seconds until the next, None when it has succeeded."""
        self.attempts += 1
        self.done = not error
        extra = {"start_up": self.name, "seconds": round(now - began, 3)}
        if self.done:
            self._announcer.tell(partial(_logger.info, "start-up function done", extra=extra))
            return None
        if error != self.last_error:
            extra["error"] = error
            self._announcer.tell(partial(_logger.warning, "start-up function failed, trying again", extra=extra))
        self.last_error = error
        pause, self._retry = self._retry, min(2 * self._retry, _LONGEST_RETRY_SECONDS)
        return pause


def _log(check: HealthCheck, result: CheckResult) -> None:
    if result.healthy:
        _logger.info("health check is well again", extra={"check": check.name, "hard": check.hard})
    else:
        _logger.warning("health check failed", extra={"check": check.name, "hard": check.hard, "error": result.error})

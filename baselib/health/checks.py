"""What is declared: a check and its schedule, a start-up function, and how a check went."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_LONGEST_SECONDS: Final = 86_400.0
_DOWNTIME_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing to look at, again and again in the background.

    The schedule and the attempts are those of Dropwizard's health module
    (https://www.dropwizard.io/en/stable/manual/health.html); the interval while failed is the shorter one here, so that
    a recovery is seen soon.

    Args:
        name: What is checked, such as `postgres`.
        run: Returns when all is well; raises, or returns False, when not. Runs in a thread of its own.
        hard: Whether the service cannot work without it.
        required_for_traffic: Whether its failure takes the task out of the load balancer. Rarely right: what fails
            one task's check fails every task's, and then nobody answers.
        timeout: Seconds after which a run counts as failed.
        interval: Seconds between two runs while it is healthy, give or take a fifth so that a fleet's do not align.
        downtime_interval: The same while it is failed, or may be; 3, or `interval` where that is less, when None.
        failures: How many runs must fail in a row before it is unhealthy; the very first run decides by itself.
        successes: How many must succeed in a row before it is healthy again; one while it never was.

    Raises:
        TypeError: `run` is a coroutine function, which nobody would await, or cannot be called; or the name is no text.
        ValueError: The name is empty or not printable, or a number is out of range.
    """

    name: str
    run: Callable[[], object]
    hard: bool = True
    required_for_traffic: bool = False
    timeout: float = 2.0
    interval: float = 10.0
    downtime_interval: float | None = None
    failures: int = 2
    successes: int = 2

    def __post_init__(self) -> None:
        _check(self.name, self.run)
        _check_seconds("timeout", self.timeout)
        _check_seconds("interval", self.interval)
        _check_seconds("downtime_interval", self.pause(failed=True))
        if self.failures < 1 or self.successes < 1:
            raise ValueError("failures and successes must be at least 1")

    def pause(self, *, failed: bool) -> float:
        """Seconds between two runs, while it is healthy or while it is not."""
        if not failed:
            return self.interval
        return min(_DOWNTIME_SECONDS, self.interval) if self.downtime_interval is None else self.downtime_interval


@dataclass(frozen=True, slots=True)
class StartUp:
    """Something that must have succeeded once before the process is ready, such as to fill a cache.

    Args:
        name: What is done, such as `warm cache`.
        run: Returns when it is done; raises, or returns False, when it has to be tried again. It may take its time.
        retry: Seconds before it is tried again; doubled at each further failure, up to 30.

    Raises:
        TypeError: `run` is a coroutine function or cannot be called; or the name is no text.
        ValueError: The name is empty or not printable, or `retry` is out of range.
    """

    name: str
    run: Callable[[], object]
    retry: float = 1.0

    def __post_init__(self) -> None:
        _check(self.name, self.run)
        _check_seconds("retry", self.retry)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a check stands.

    Attributes:
        healthy: Whether it counts as healthy, after as many attempts as it takes to change that.
        seconds: How long the last run took, or has been hanging.
        error: What went wrong in the last run, empty when nothing did.
        finished: When it last answered, or when the run that hangs began; on the clock of `time.monotonic`.
        since: When it became what it is, on the same clock.
    """

    healthy: bool
    seconds: float
    error: str
    finished: float
    since: float


def _check(name: object, run: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a name is required, not {name!r}")
    if not name.strip() or not name.isprintable():
        raise ValueError(f"{name!r} is not a name: printable text is accepted")
    if inspect.iscoroutinefunction(run):
        raise TypeError(f"{name}: a coroutine function would never be awaited")
    if not callable(run):
        raise TypeError(f"{name}: {run!r} cannot be called")


def _check_seconds(field: str, seconds: float) -> None:
    if not (math.isfinite(seconds) and 0 < seconds <= _LONGEST_SECONDS):
        raise ValueError(f"{field} is {seconds!r}: seconds above 0, at most {_LONGEST_SECONDS:g}, are accepted")

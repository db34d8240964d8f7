"""Checks of what a service depends on: run side by side, each with a deadline, answered from a short-lived cache."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_POLL_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing to look at.

    Args:
        name: What is checked, such as `postgres`.
        run: Returns when all is well, raises when not.
        hard: Whether the service cannot work without it.
        required_for_traffic: Whether its failure takes the task out of the load balancer. Rarely right: what fails
            one task's check fails every task's, and then nobody answers.
        timeout: Seconds after which it counts as failed.
        cached: Seconds for which a result is given again, so that any number of callers cause no storm.
    """

    name: str
    run: Callable[[], object]
    hard: bool = True
    required_for_traffic: bool = False
    timeout: float = 2.0
    cached: float = 5.0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a check went.

    Attributes:
        healthy: Whether it returned in time.
        seconds: How long it took.
        error: What went wrong, empty when nothing did.
        finished: When it ended, on the clock of `time.monotonic`.
    """

    healthy: bool
    seconds: float
    error: str
    finished: float


@dataclass(slots=True)
class _Entry:
    check: HealthCheck
    result: CheckResult | None = None
    last_error: str = ""
    running: threading.Thread | None = None
    started: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> None:
        """Begin a run unless one is going on or the last result is fresh."""
        with self.lock:
            if self.running is not None or self._fresh():
                return
            self.started = time.monotonic()
            self.running = threading.Thread(target=self._run, name=f"health-{self.check.name}", daemon=True)
            self.running.start()

    def outcome(self) -> CheckResult | None:
        """The fresh result; a failure once the deadline of the present run has passed; None before that."""
        with self.lock:
            if self.running is None:
                # Fresh when this caller asked, or just finished; it may have grown old while another check was awaited.
                return self.result
            taken = time.monotonic() - self.started
            if taken >= self.check.timeout:
                self.last_error = f"no answer within {self.check.timeout:g} s"
                return CheckResult(False, taken, self.last_error, time.monotonic())
            return None

    def _fresh(self) -> bool:
        return self.result is not None and time.monotonic() - self.result.finished < self.check.cached

    def _run(self) -> None:
        error = ""
        try:
            self.check.run()
        except BaseException as failure:  # noqa: BLE001 - whatever a check raises is its answer, SystemExit too
            error = _told(failure)
        with self.lock:
            now = time.monotonic()
            self.result = CheckResult(not error, now - self.started, error, now)
            self.last_error = error or self.last_error
            self.running = None


def _told(failure: BaseException) -> str:
    try:
        return f"{type(failure).__name__}: {failure}"
    except Exception:  # noqa: BLE001 - an exception's own code may raise anything
        return type(failure).__name__


class HealthChecks:
    """The checks of a service."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def add(self, check: HealthCheck) -> None:
        """Register a check.

        Raises:
            ValueError: There is one of that name.
        """
        if check.name in self._entries:
            raise ValueError(f"there is already a health check named {check.name!r}")
        self._entries[check.name] = _Entry(check)

    def checks(self) -> list[HealthCheck]:
        """What is registered, in order."""
        return [entry.check for entry in self._entries.values()]

    def last_error(self, name: str) -> str:
        """The last thing that went wrong with a check, empty when nothing ever did."""
        return self._entries[name].last_error

    def results(self, *, required_for_traffic: bool = False) -> dict[str, CheckResult]:
        """Every check's result, at most as old as it may be cached; a hung check is a failed one.

        Args:
            required_for_traffic: Only the checks that take the task out of the load balancer.
        """
        entries = [
            entry for entry in self._entries.values() if entry.check.required_for_traffic or not required_for_traffic
        ]
        for entry in entries:
            entry.refresh()
        results: dict[str, CheckResult] = {}
        for entry in entries:
            while (result := entry.outcome()) is None:
                time.sleep(_POLL_SECONDS)
            results[entry.check.name] = result
        return results

"""The checks and start-up functions of a service, run in the background of each process that is asked for them."""

import time
from collections.abc import Iterable
from typing import Final
from weakref import WeakSet

from baselib.concurrency import renew_after_fork
from baselib.health.announcer import Announcer
from baselib.health.checks import CheckResult, HealthCheck, StartUp
from baselib.health.scheduler import Scheduler
from baselib.health.state import CheckState, Listener, StartUpState

# How long a first question waits for start-up functions that are done in an instant.
_START_UP_PATIENCE_SECONDS: Final = 1.0
# A first run begins a moment after the question, and so does its timeout.
_GRACE_SECONDS: Final = 0.25


class HealthChecks:
    """The checks of a service.

    They run in the background from the first question on, or from `start`, in the process that asks: a caller reads
    what is known and causes no run. Only who asks before the first run has ended waits for it, at most for the check's
    timeout.

    >>> checks = HealthChecks()
    >>> checks.add(HealthCheck("cache", lambda: None))
    >>> checks.results()["cache"].healthy
    True
    >>> checks.not_ready()
    ''
    """

    def __init__(self) -> None:
        self._checks: dict[str, HealthCheck] = {}
        self._start_ups: dict[str, StartUp] = {}
        self._listeners: list[Listener] = []
        self.after_fork()
        _all.add(self)
        renew_after_fork(self)

    def add(self, check: HealthCheck) -> None:
        """Register a check.

        Raises:
            ValueError: There is one of that name.
        """
        if check.name in self._checks:
            raise ValueError(f"there is already a health check named {check.name!r}")
        self._checks[check.name] = check
        self._add_check(check)

    def add_start_up(self, start_up: StartUp) -> None:
        """Register a start-up function; the process is not ready before it has succeeded.

        Raises:
            ValueError: There is one of that name.
        """
        if start_up.name in self._start_ups:
            raise ValueError(f"there is already a start-up function named {start_up.name!r}")
        self._start_ups[start_up.name] = start_up
        self._add_start_up(start_up)

    def on_change(self, listener: Listener) -> Listener:
        """Call a function, from a thread for that, when a check fails and when it is well again; usable as decorator.

        Args:
            listener: Is given the check and its new result; what it raises is logged.
        """
        self._listeners.append(listener)
        return listener

    def start(self) -> None:
        """Begin to check in this process; the first question does it too. Not before a fork: the child begins anew."""
        self._scheduler.start()

    def start_up_now(self) -> None:
        """Call each start-up function once, in this thread; for a process that answers no checks.

        Raises:
            RuntimeError: One returned False.
            Exception: What one of them raised.
        """
        for start_up in self._start_ups.values():
            if start_up.run() is False:
                raise RuntimeError(f"{start_up.name} has not succeeded")

    def reset(self) -> None:
        """Forget every result and check no more until somebody asks again; for tests."""
        self._scheduler.close()
        self.after_fork()

    def checks(self) -> list[HealthCheck]:
        """What is registered, in order."""
        return list(self._checks.values())

    def last_error(self, name: str) -> str:
        """The last thing that went wrong with a check, empty when nothing ever did."""
        return self._states[name].last_error

    def start_ups(self) -> dict[str, StartUpState]:
        """How far each start-up function has come."""
        self.start()
        return dict(self._start_up_states)

    def results(self, *, required_for_traffic: bool = False) -> dict[str, CheckResult]:
        """How every check stands; a hung check is a failed one.

        Args:
            required_for_traffic: Only the checks that take the task out of the load balancer.
        """
        states = self._required if required_for_traffic else list(self._states.values())
        self._await_first(states)
        return {state.name: state.result or _unknown(state.check) for state in states}

    def not_ready(self, *, wait: bool = True) -> str:
        """Why the process should get no traffic, empty when it should.

        Args:
            wait: Whether to wait for first runs that are going on; an answer without waiting may be `starting`.
        """
        self.start()
        if self._start_up_states:
            if wait:
                self._await_start_ups()
            waiting = [name for name, state in self._start_up_states.items() if not state.done]
            if waiting:
                return f"starting: {', '.join(waiting)}"
        if not self._required:
            return ""
        if wait:
            self._await_first(self._required)
        unknown = [state.name for state in self._required if state.result is None]
        if unknown:
            return f"starting: {', '.join(unknown)}"
        failed = [state.name for state in self._required if state.result is not None and not state.result.healthy]
        return f"failed: {', '.join(failed)}" if failed else ""

    def after_fork(self) -> None:
        """Begin anew, and touch nothing of what was before: another thread may have held any of its locks."""
        self._announcer = Announcer()
        self._scheduler = Scheduler()
        _schedulers.add(self._scheduler)
        self._states: dict[str, CheckState] = {}
        self._required: list[CheckState] = []
        self._start_up_states: dict[str, StartUpState] = {}
        for check in self._checks.values():
            self._add_check(check)
        for start_up in self._start_ups.values():
            self._add_start_up(start_up)

    def _add_check(self, check: HealthCheck) -> None:
        state = self._states[check.name] = CheckState(check, self._announcer, self._listeners)
        if check.required_for_traffic:
            self._required.append(state)
        self._scheduler.add(state)

    def _add_start_up(self, start_up: StartUp) -> None:
        state = self._start_up_states[start_up.name] = StartUpState(start_up, self._announcer)
        self._scheduler.add(state)

    def _await_first(self, states: Iterable[CheckState]) -> None:
        self.start()
        missing = [state for state in states if state.result is None]
        if missing:
            patience = max(state.timeout for state in missing) + _GRACE_SECONDS
            self._scheduler.wait(lambda: all(state.result is not None for state in missing), patience)

    def _await_start_ups(self) -> None:
        patience = self._scheduler.started + _START_UP_PATIENCE_SECONDS - time.monotonic()
        missing = [state for state in self._start_up_states.values() if not state.attempts]
        if missing:
            self._scheduler.wait(lambda: all(state.attempts for state in missing), patience)


def _unknown(check: HealthCheck) -> CheckResult:
    """What is told where not even the scheduler has come to a verdict in time."""
    now = time.monotonic()
    return CheckResult(False, check.timeout, f"no answer within {check.timeout:g} s", now, now)


_all: "Final[WeakSet[HealthChecks]]" = WeakSet()
# Besides, because an exception that a test keeps keeps a scheduler alive whose checks are gone.
_schedulers: "Final[WeakSet[Scheduler]]" = WeakSet()


def reset_all() -> None:
    """Let no check run in the background of this process until somebody asks again; for tests."""
    for scheduler in list(_schedulers):
        scheduler.close()
    for checks in list(_all):
        checks.reset()

"""What can go wrong with a call of another service.

No text holds a path, a query, a header or a body: any of them may be a secret, and errors are logged.
"""

from typing import ClassVar


class DependencyError(RuntimeError):
    """A call of another service that came to nothing.

    Args:
        dependency: The other service's name.
        what: What happened, without anything that the caller passed.
        sent: Whether the other service may have got the request, and carried it out.
        answered: Whether it had begun to answer.

    Attributes:
        outcome: The value of the metrics' tag `outcome`.
    """

    outcome: ClassVar[str] = "failed"

    def __init__(self, dependency: str, what: str, *, sent: bool = False, answered: bool = False) -> None:
        super().__init__(f"{dependency}: {what}")
        self.dependency = dependency
        self.sent = sent
        self.answered = answered


class UnavailableError(DependencyError):
    """It broke off, answered with something that is not HTTP, or has no address."""

    outcome = "unavailable"


class ConnectFailedError(UnavailableError):
    """No connection came about, so that nothing was sent."""

    outcome = "connect_failed"


class CallTimeoutError(DependencyError):
    """It did not answer in time."""

    outcome = "timeout"


class CircuitOpenError(DependencyError):
    """It failed too often a moment ago, and is left in peace."""

    outcome = "circuit_open"


class BulkheadFullError(DependencyError):
    """As many calls of it as may be are in flight already."""

    outcome = "bulkhead_full"


class DeadlinePassedError(DependencyError):
    """The caller's own time budget was spent before anything was sent."""

    outcome = "deadline_passed"


class BadBodyError(DependencyError):
    """The body of its answer is too large, or not what it was read as."""

    outcome = "bad_body"


class BadStatusError(DependencyError):
    """It answered with a status of 400 or more, and the caller did not want one.

    Args:
        dependency: The other service's name.
        status: The status.
    """

    outcome = "bad_status"

    def __init__(self, dependency: str, status: int) -> None:
        super().__init__(dependency, f"answered {status}", sent=True, answered=True)
        self.status = status

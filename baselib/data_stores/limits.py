"""How much of a data store one process may use, and for how long."""

from dataclasses import dataclass
from typing import Final

from baselib.contract import Settings

_LONGEST_WAIT_SECONDS: Final = 5.0
_SHARE_OF_REQUEST: Final = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one client.

    Args:
        connections: How many connections it keeps.
        seconds: The longest that it waits for a connection, and, except for postgres, for an answer.
        retries: How often it tries again what failed before it was carried out.
    """

    connections: int
    seconds: float
    retries: int


# Below the time after which a health check counts as failed, so that it can tell what is wrong.
CHECK_LIMITS: Final = Limits(connections=1, seconds=1.5, retries=0)


def request_limits(settings: Settings, threads: int) -> Limits:
    """The bounds while requests or messages are handled: a request outlives a data store that does not answer.

    Args:
        settings: Gives the time budget of a request.
        threads: How many of them run at a time, each with one connection.

    >>> request_limits(Settings(product="duolingo", service="api", owner="platform", request_seconds=8), threads=4)
    Limits(connections=4, seconds=2.0, retries=2)
    """
    return Limits(
        connections=threads,
        seconds=min(_LONGEST_WAIT_SECONDS, settings.request_seconds / _SHARE_OF_REQUEST),
        retries=2,
    )

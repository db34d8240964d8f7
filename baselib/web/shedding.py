"""Overload: a request that would wait for a thread for longer than its budget is answered 503 at once.

A queue that grows past the time in which anybody still wants the answers turns an overload into an outage: the service
works, and every answer comes too late (https://sre.google/sre-book/addressing-cascading-failures/, "load shedding").
"""

import logging
import math
import time
from http import HTTPStatus
from typing import Final

from baselib.telemetry import metrics
from baselib.telemetry.identifiers import REQUEST_TIMEOUT_HEADER, budget_from
from baselib.telemetry.metrics.standard import REQUESTS, REQUESTS_SHED
from baselib.web.connections import Connection
from baselib.web.refusals import refusal
from baselib.web.request_head import field

_LONGEST_WAIT_SECONDS: Final = 5.0
_LONGEST_RETRY_SECONDS: Final = 60
# The share of the newest request in the mean.
_WEIGHT: Final = 1 / 16
_LOG_SECONDS: Final = 1.0

_logger = logging.getLogger("baselib.web")


class Shedding:
    """Decides which requests a worker cannot answer in time.

    Args:
        threads: How many requests run at once.
        request_seconds: The time budget of a request; half of it, and five seconds at most, may be spent waiting.
    """

    def __init__(self, threads: int, request_seconds: float) -> None:
        self._threads = threads
        self._budget = min(_LONGEST_WAIT_SECONDS, request_seconds / 2)
        self._mean = 0.0
        self._shed = 0
        self._said = 0.0

    def note(self, seconds: float) -> None:
        """A request took so long in its thread."""
        # One slow request says little about those that wait, so it counts for no more than the budget.
        self._mean += (min(seconds, self._budget) - self._mean) * _WEIGHT

    def wait(self, ahead: int) -> float:
        """Seconds that a request will probably wait for a thread.

        Args:
            ahead: How many others wait.
        """
        return (ahead + 1) * self._mean / self._threads

    def budget(self, head: bytes | bytearray) -> float:
        """Seconds that a request may wait for a thread; less where its caller gives it less.

        Args:
            head: The head of the request.
        """
        timeout = field(head, REQUEST_TIMEOUT_HEADER)
        return min(self._budget, budget_from(timeout, self._budget)) if timeout else self._budget

    def late(self, waiting: list[Connection], now: float) -> list[Connection]:
        """Those that have waited for longer than their budget."""
        return [connection for connection in waiting if now - connection.queued > connection.budget]

    def refuse(self, reason: str, head: bytes | bytearray, waiting: int) -> bytes:
        """The answer to a request that is shed, counted and now and then logged.

        Args:
            reason: `predicted` or `waited`.
            head: The head of the request.
            waiting: How many others wait.
        """
        metrics.incr(REQUESTS_SHED.name, tags={"reason": reason})
        # An error rate that did not count these would look best when it is worst.
        metrics.incr(REQUESTS.name, tags={"method": "OTHER", "route": "unmatched", "status": "503"})
        self._shed += 1
        now = time.monotonic()
        if now - self._said >= _LOG_SECONDS:
            _logger.warning(
                "requests shed: every request thread is busy",
                extra={"shed": self._shed, "reason": reason, "waiting": waiting, "mean_ms": round(self._mean * 1000)},
            )
            self._shed, self._said = 0, now
        seconds = min(max(math.ceil(self.wait(waiting)), 1), _LONGEST_RETRY_SECONDS)
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, head, "too busy, try again", {"Retry-After": str(seconds)})

"""When a call is tried again, how often at most, and how long after.

>>> now = 0.0
>>> budget = RetryBudget(lambda: now)
>>> sum(budget.withdraw() for _ in range(100))
10
>>> for _ in range(20):
...     budget.deposit()
>>> sum(budget.withdraw() for _ in range(100))
4
"""

import random
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""The methods that may be sent twice (RFC 9110, section 9.2.2)."""

RETRIED_STATUSES: Final = frozenset({502, 503, 504})
ATTEMPTS: Final = 3

_SHARE: Final = 0.2
_FLOOR_PER_SECOND: Final = 1.0
_MOST: Final = 10.0
_BASE_SECONDS: Final = 0.05
_CAP_SECONDS: Final = 1.0


class RetryBudget:
    """A bucket of tokens, so that retries do not multiply an outage: a call puts in 0.2, a retry takes out 1.

    One more token comes each second, so that a service with few calls retries too; the bucket holds 10. Finagle's
    RetryBudget has the same parts (https://twitter.github.io/finagle/guide/Clients.html#retries), gRPC's retry
    throttling similar ones (https://github.com/grpc/proposal/blob/master/A6-client-retries.md).

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.after_fork()

    def after_fork(self) -> None:
        """Begin anew with a full bucket."""
        self._lock = threading.Lock()
        self._tokens = _MOST
        self._filled = self._clock()

    def deposit(self) -> None:
        """A call is made."""
        with self._lock:
            self._fill(_SHARE)

    def withdraw(self) -> bool:
        """Whether a retry may be made; then it is paid for."""
        with self._lock:
            self._fill(0.0)
            # Twenty times 0.2 is a little less than 4 to a computer.
            paid = self._tokens >= 1 - 1e-9
            self._tokens -= paid
            return paid

    def _fill(self, more: float) -> None:
        now = self._clock()
        self._tokens = min(_MOST, self._tokens + more + _FLOOR_PER_SECOND * (now - self._filled))
        self._filled = now


def back_off(retry: int) -> float:
    """Seconds before a retry: exponential with full jitter.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    Args:
        retry: Which one, from 1.
    """
    return random.uniform(0.0, min(_CAP_SECONDS, _BASE_SECONDS * 2**retry))  # noqa: S311


def retry_after(value: str | None) -> float:
    """Seconds that the header `Retry-After` asks to wait (RFC 9110, section 10.2.3); 0 where it says nothing sensible.

    Args:
        value: The header's value, a number of seconds or a date; None when it was not sent.
    """
    if not value:
        return 0.0
    if re.fullmatch(r"[0-9]{1,10}", value.strip()):
        return float(value)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - half of the package `email`, for a rare form

    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return 0.0
    # A date without a zone, which RFC 9110 does not know, is meant as GMT.
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())

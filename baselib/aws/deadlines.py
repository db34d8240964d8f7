"""How long this thread may wait for what another thread is fetching."""

import time
from typing import Final

from baselib.telemetry import current_span

_LONGEST_WAIT_SECONDS: Final = 60.0


class DeadlineExceededError(TimeoutError):
    """The time budget of the work in hand is spent."""


def span_deadline() -> float | None:
    """When the budget of the work in hand is spent, on the clock of `time.monotonic`; None when there is none."""
    span = current_span()
    return None if span is None else span.deadline


def patience() -> float:
    """Seconds that this thread may wait: what its work has left, and a minute where it has no deadline."""
    deadline = span_deadline()
    left = _LONGEST_WAIT_SECONDS if deadline is None else deadline - time.monotonic()
    return max(0.0, min(left, _LONGEST_WAIT_SECONDS))

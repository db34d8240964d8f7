"""Whether a service has ever fitted below its memory limit: what never did is not helped by a restart."""

import logging
from typing import Final

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import MEMORY_UNFIT

_logger = logging.getLogger(__name__)

# What a service uses right after its start says little.
_SETTLED_SECONDS: Final = 10.0
# How long a limit that is too low is borne before it is said again.
_COMPLAINT_SECONDS: Final = 60.0


class Fit:
    """What has been seen of a service's memory since it started.

    Args:
        limit_bytes: 100 %.

    Attributes:
        ever: Whether it has been at or below the limit after it had settled.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.ever = False
        self._began: float | None = None
        self._complained = float("-inf")

    def note(self, used: int, now: float) -> bool:
        """Note a measurement, and return whether it is at or below the limit.

        Args:
            used: Bytes in use.
            now: The time on the clock of `time.monotonic`.
        """
        if self._began is None:
            self._began = now
        fits = used <= self.limit_bytes
        self.ever |= fits and now - self._began >= _SETTLED_SECONDS
        return fits

    def complain(self, used: int, now: float) -> None:
        """Count that the limit is too low, and say it at most once a minute.

        Args:
            used: Bytes in use.
            now: The time on the clock of `time.monotonic`.
        """
        metrics.incr(MEMORY_UNFIT.name)
        if now - self._complained < _COMPLAINT_SECONDS:
            return
        self._complained = now
        _logger.error(
            "memory has never been below the limit: the limit is too low for this service",
            extra={"used_bytes": used, "limit_bytes": self.limit_bytes},
        )

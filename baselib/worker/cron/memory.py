"""A run that needs more memory than it has: a warning, and an end that can still be told of before the kernel kills.

A daemon ends at 100 % of its limit, and ECS starts it again. Nobody starts a run again before its next time, and it has
no replacement to leave room for; so it goes on above its limit for as long as the kernel lets it.
"""

import logging
import os
from collections.abc import Callable
from typing import Final

from baselib.contract import Settings
from baselib.memory import MemoryGuard, hard_limit, memory_limit, used_bytes
from baselib.worker.cron.errors import MemoryLimitError

# What a run may still allocate between two looks at its memory.
_STOPPED_SHARE: Final = 0.97

_logger = logging.getLogger("baselib.worker")


class MemoryWatch:
    """Warns of a run above its limit, once, and stops it just below the kernel's.

    Args:
        limit_bytes: 100 %.
        hard_bytes: Where the kernel kills; None where that is not known.
        stop: Stops the run.
    """

    def __init__(self, limit_bytes: int, hard_bytes: int | None, stop: Callable[[MemoryLimitError], object]) -> None:
        self._limit = limit_bytes
        self._hard = hard_bytes
        self._stop = stop
        self._warned = False

    def relieve(self, used: int) -> None:
        """Say that memory is over the limit, and do what has to be done.

        Args:
            used: Bytes in use.
        """
        if not self._warned:
            self._warned = True
            _logger.warning(
                "the job uses more memory than its limit", extra={"used_bytes": used, "limit_bytes": self._limit}
            )
        if self._hard is not None and used >= self._hard * _STOPPED_SHARE:
            self._stop(MemoryLimitError(f"the run uses {used} of the {self._hard} bytes at which the kernel kills it"))


def guard_memory(settings: Settings, stop: Callable[[MemoryLimitError], object]) -> MemoryGuard | None:
    """Begin to look at the memory of this process; None where no limit is known.

    Args:
        settings: May give the limit.
        stop: Stops the run.
    """
    limit = memory_limit(settings)
    if limit is None:
        return None
    watch = MemoryWatch(limit, hard_limit(), stop)
    guard = MemoryGuard(limit, lambda: used_bytes([os.getpid()]), watch.relieve)
    guard.start()
    return guard

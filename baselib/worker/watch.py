"""Finds handlers that take longer than they may."""

import logging
import sys
import traceback
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import HANDLERS_HUNG
from baselib.worker.engine.consumer import Consumer

if TYPE_CHECKING:
    from baselib.worker.engine.lease import Lease

_logger = logging.getLogger("baselib.worker")


class Watch:
    """Tells of messages that are handled for longer than their limit, each once.

    A thread cannot be ended from outside: its message stays with it, so that it is not handled twice at a time. When
    all threads are held like this the worker is not alive any more, and ECS replaces the task.

    Args:
        consumers: Whose messages.
        threads: How many threads there are.
    """

    def __init__(self, consumers: Sequence[Consumer], threads: int) -> None:
        self._consumers = consumers
        self._threads = threads
        self._told: weakref.WeakSet[Lease] = weakref.WeakSet()

    @property
    def alive(self) -> bool:
        """Whether a thread is left that is not held beyond its limit."""
        held = {lease.thread for consumer in self._consumers for lease in consumer.overdue()}
        return len(held) < self._threads

    def look(self) -> None:
        """Look at what is being handled now."""
        for consumer in self._consumers:
            for lease in consumer.overdue():
                if lease not in self._told:
                    self._told.add(lease)
                    metrics.incr(HANDLERS_HUNG.name, tags={"queue": consumer.name})
                    _logger.error(
                        "a handler takes longer than its limit",
                        extra={
                            "queue": consumer.name,
                            "message_id": lease.raw["MessageId"],
                            "stack": _stack(lease.thread),
                        },
                    )


def _stack(thread: int | None) -> str | None:
    frame = sys._current_frames().get(thread) if thread is not None else None
    return "".join(traceback.format_stack(frame)) if frame is not None else None

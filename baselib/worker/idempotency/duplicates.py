"""Telling that a message was a duplicate."""

import logging
from typing import Any

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import MESSAGES_DUPLICATES
from baselib.worker.message import Message

_logger = logging.getLogger("baselib.worker")


def tell_duplicate(message: Message[Any]) -> None:
    """Count and log a message that is not handled, because it was handled before.

    Args:
        message: The message.
    """
    metrics.incr(MESSAGES_DUPLICATES.name, tags={"queue": message.queue})
    _logger.info("handled before", extra={"queue": message.queue, "message_id": message.id})

"""The message handlers of duolingo-mailer."""

import logging

from baselib import metrics
from baselib.worker import Message, Worker
from pydantic import BaseModel, Field

logger = logging.getLogger(__name__)


class Welcome(BaseModel):
    """Somebody new is to be welcomed."""

    name: str = Field(min_length=1, max_length=100)


def send_welcome(message: Message[Welcome]) -> None:
    """Welcome somebody; return when it is done, raise when the message shall come again."""
    logger.info("welcomed", extra={"who": message.body.name})
    metrics.incr("welcomes")


def register(worker: Worker) -> None:
    """Say which function handles which messages."""
    worker.handle(send_welcome, body=Welcome)

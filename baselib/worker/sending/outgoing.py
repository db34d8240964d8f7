"""A message as its sender describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One of the messages of `send_many` that is to differ from the others.

    Args:
        body: A pydantic model, or text.
        delay: Seconds until it can be received, at most 900; that of `send_many` when None.
        group: Its message group; that of `send_many` when None.
        deduplication_id: On a FIFO queue, what SQS knows it by: within five minutes it takes one message of an id.
        attributes: Its own, besides those of `send_many`: text, whole numbers, or bytes.
    """

    body: "BaseModel | str" = field(repr=False)
    delay: int | None = None
    group: str | None = None
    deduplication_id: str | None = None
    attributes: Mapping[str, str | int | bytes] | None = field(default=None, repr=False)

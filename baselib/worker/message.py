"""A message as a handler gets it, and how a handler says what shall become of it."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

_Body = TypeVar("_Body")


class Reject(Exception):  # noqa: N818 - an instruction, not a failure of the handler
    """What a handler raises for a message that can never be handled.

    It goes to the dead-letter queue now, instead of after its last receive.

    Args:
        reason: Why; it is logged.
    """


class Retry(Exception):  # noqa: N818
    """What a handler raises for a message that shall come again.

    Args:
        reason: Why; it is logged.
        delay: Seconds until it may come again, 0 where it is below; a back-off that grows with each receive when None.

    Raises:
        ValueError: The delay is no number.
    """

    def __init__(self, reason: str, delay: float | None = None) -> None:
        super().__init__(reason)
        if delay is not None and (not isinstance(delay, int | float) or math.isnan(delay)):
            raise ValueError(f"delay is {delay!r}: accepted is a number of seconds")
        self.delay = delay


class Held(Protocol):
    """What the engine knows of a message while it is handled."""

    @property
    def lost(self) -> bool:
        """Whether SQS may have given the message to somebody else."""

    @property
    def deadline(self) -> float | None:
        """When the handler has to be done, on the clock of `time.monotonic`; None when nobody has said so."""


@dataclass(frozen=True, slots=True)
class Message(Generic[_Body]):
    """One message.

    Attributes:
        id: SQS's id of it.
        body: Its body, checked against the model that the handler was registered with; text without a model.
        attributes: Its string attributes, and those of the envelopes that it came in.
        receive_count: How often it has been received, this time included.
        sent: When it was sent, in seconds since 1970.
        queue: The name of the queue it came from.
        group: Its message group, in a FIFO queue.
        event_id: The id that SNS or EventBridge gave it, which stays the same when they deliver twice; SQS's without an
            envelope.
        held: What the engine knows of it; None in a test.
    """

    id: str
    body: _Body
    attributes: Mapping[str, str]
    receive_count: int
    sent: float
    queue: str
    group: str | None = None
    event_id: str = ""
    held: Held | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.event_id:
            object.__setattr__(self, "event_id", self.id)

    @property
    def age(self) -> float:
        """Seconds since it was sent; 0 where the sender's clock is ahead of ours."""
        return max(0.0, time.time() - self.sent)

    @property
    def lease_lost(self) -> bool:
        """Whether SQS may have given the message to somebody else, so that a handler which can stop had better do so.

        That is so when its visibility could not be extended, and 12 hours after its receipt.
        """
        return self.held is not None and self.held.lost

    @property
    def remaining(self) -> float | None:
        """Seconds that the handler has left, below zero when it is late; None when nobody has set a limit.

        A drain sets one too: a handler that looks here now and then can save its state, and raise `Retry`.
        """
        deadline = None if self.held is None else self.held.deadline
        return None if deadline is None else deadline - time.monotonic()


def attributes_of(raw: Mapping[str, Any]) -> dict[str, str]:
    """The string attributes of a message as SQS gives it."""
    return {
        name: value["StringValue"] for name, value in raw.get("MessageAttributes", {}).items() if "StringValue" in value
    }

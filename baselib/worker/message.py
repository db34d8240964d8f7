"""A message as a handler gets it, and how a handler says what shall become of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

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
        delay: Seconds until it may come again; a back-off that grows with each receive when None.
    """

    def __init__(self, reason: str, delay: float | None = None) -> None:
        super().__init__(reason)
        self.delay = delay


@dataclass(frozen=True, slots=True)
class Message(Generic[_Body]):
    """One message.

    Attributes:
        id: SQS's id of it.
        body: Its body, checked against the model that the handler was registered with; text without a model.
        attributes: Its string attributes.
        receive_count: How often it has been received, this time included.
        sent: When it was sent, in seconds since the epoch.
        queue: The name of the queue it came from.
    """

    id: str
    body: _Body
    attributes: Mapping[str, str]
    receive_count: int
    sent: float
    queue: str

    @property
    def age(self) -> float:
        """Seconds since it was sent."""
        return max(0.0, time.time() - self.sent)


def attributes_of(raw: Mapping[str, Any]) -> dict[str, str]:
    """The string attributes of a message as SQS gives it."""
    return {
        name: value["StringValue"] for name, value in raw.get("MessageAttributes", {}).items() if "StringValue" in value
    }

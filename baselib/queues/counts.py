"""How many messages a queue has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

ATTRIBUTES: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages a queue has, which SQS knows approximately, and exactly a minute after the last change.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/confirm-queue-is-empty.html

    Attributes:
        visible: Those that can be received.
        in_flight: Those that somebody has received, and neither deleted nor given back.
        delayed: Those that were sent with a delay which is not over.
    """

    visible: int
    in_flight: int
    delayed: int

    @classmethod
    def of(cls, attributes: Mapping[str, str]) -> Self:
        """The counts among a queue's attributes."""
        return cls(*(int(attributes.get(name, 0)) for name in ATTRIBUTES))

    @property
    def total(self) -> int:
        """All of them."""
        return self.visible + self.in_flight + self.delayed

    def __str__(self) -> str:
        return f"{self.visible:,} visible, {self.in_flight:,} in flight, {self.delayed:,} delayed"

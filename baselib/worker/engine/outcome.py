"""What shall become of a message after its handler."""

from enum import Enum
from typing import NamedTuple


class Outcome(Enum):
    """What shall become of a message."""

    DONE = "done"
    RETRIED = "retried"
    REJECTED = "rejected"


class Verdict(NamedTuple):
    """An outcome, and what belongs to it.

    Attributes:
        outcome: What shall become of the message.
        delay: Seconds until it may come again, where the handler said so.
        reason: Why it was not done, for the log line that tells of its end in the dead-letter queue.
    """

    outcome: Outcome
    delay: float | None = None
    reason: str = ""


DONE = Verdict(Outcome.DONE)

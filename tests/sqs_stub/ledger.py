"""What happened to each message, in order."""

from typing import Any, Final, NamedTuple

SENT: Final = "sent"
RECEIVED: Final = "received"
CHANGED: Final = "visibility changed"
VISIBLE: Final = "visible again"
DELETED: Final = "deleted"
DELETE_IGNORED: Final = "delete ignored"
DEAD_LETTERED: Final = "dead-lettered"
REDRIVEN: Final = "redriven"
EXPIRED: Final = "expired"
PURGED: Final = "purged"


class Event(NamedTuple):
    """One thing that happened to a message.

    Attributes:
        time: When, in seconds since 1970 on the stub's clock.
        what: One of this module's names.
        queue: The queue's name.
        message: The message's id.
        detail: The receipt handle of a receive or delete; the new visibility time-out in seconds; the name of the
            queue to which it was moved; the body's text of what was sent.
    """

    time: float
    what: str
    queue: str
    message: str
    detail: Any


class Ledger:
    """All events; a stub that only measures speed has none."""

    def __init__(self) -> None:
        self.events: list[tuple[float, str, str, str, Any]] = []

    def of(self, queue: str | None, message: str | None) -> list[tuple[float, str, str, str, Any]]:
        """The events of one queue or message, or all."""
        return [
            event for event in self.events if (not queue or event[2] == queue) and (not message or event[3] == message)
        ]

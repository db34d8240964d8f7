"""What a store of records has to be able to do."""

from dataclasses import dataclass
from typing import Literal, Protocol

from baselib.contract import Settings

Status = Literal["in_progress", "done"]


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a key.

    Attributes:
        status: Whether the work is under way or done.
        holder: Who wrote it: another one for each attempt.
        body_hash: The hash of the message's body; None where it is not to be checked.
        expires: When it counts no more, in whole seconds since 1970.
    """

    status: Status
    holder: str
    body_hash: str | None
    expires: int


class Store(Protocol):
    """Keeps one record for each key. Every method raises when the store cannot be reached, and is thread-safe."""

    def configure(self, settings: Settings) -> None:
        """Learn where the store is.

        Args:
            settings: The service's settings.

        Raises:
            ConfigurationError: They do not say it.
        """

    def put(self, key: str, record: Record, now: float) -> Record | None:
        """Write a record, in one atomic step, where `may_replace` allows it.

        Args:
            key: The key.
            record: What to write.
            now: The time, in seconds since 1970.

        Returns:
            The record that is in the way; None when it was written.
        """

    def remove(self, key: str, holder: str) -> None:
        """Remove the record of a key, in one atomic step, where it is this holder's.

        Args:
            key: The key.
            holder: Whose record goes.
        """


def may_replace(old: Record | None, new: Record, now: float) -> bool:
    """Whether a record may be written: over nothing, over one that has expired, and over the same holder's own.

    What is done is never under way again, however late a request of the same holder arrives.

    Args:
        old: What is there.
        new: What shall be written.
        now: The time, in seconds since 1970.
    """
    if old is None or old.expires <= now:
        return True
    return old.holder == new.holder and not (old.status == "done" and new.status == "in_progress")

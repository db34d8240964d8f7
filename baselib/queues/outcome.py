"""What became of a redrive or a purge."""

from dataclasses import dataclass, field
from typing import Any

from baselib.queues.text import number_of


@dataclass(slots=True)
class Outcome:
    """What became of the messages of a queue.

    Attributes:
        done: How many were moved, or deleted.
        looked_at: How many were looked at to find those that are meant; None when all are meant.
        failed: The ids of those that stayed, and why.
        twice: The ids of those that are now in both places, because they could not be deleted, and why.
        hidden: How many can be received again only after some minutes.
        missing: The ids that were asked for and not found.
        error: What ended it before its end, or None.
        uncertain: How many may be in both places, because the call for them was never answered.
        interrupted: Whether a signal ended it.
    """

    done: int = 0
    looked_at: int | None = None
    failed: dict[str, str] = field(default_factory=dict)
    twice: dict[str, str] = field(default_factory=dict)
    hidden: int = 0
    missing: list[str] = field(default_factory=list)
    error: str | None = None
    uncertain: int = 0
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """0 when everything was done, 130 after a signal, otherwise 1."""
        if self.interrupted:
            return 130
        return int(bool(self.failed or self.twice or self.hidden or self.missing or self.error or self.uncertain))

    def as_json(self) -> dict[str, Any]:
        """The outcome for machines."""
        return {
            "looked_at": self.looked_at,
            "failed": self.failed,
            "in_both": self.twice,
            "maybe_in_both": self.uncertain,
            "hidden": self.hidden,
            "missing": self.missing,
            "error": self.error,
            "interrupted": self.interrupted,
        }

    def complaints(self, source: str) -> list[str]:
        """What was not done, in lines.

        Args:
            source: The name of the queue that the messages were in.
        """
        lines = [f"{each} stayed in {source}: {reason}" for each, reason in self.failed.items()]
        lines += [f"{each} is in both places, not deleted from {source}: {why}" for each, why in self.twice.items()]
        lines += [f"{each} was not found in {source}" for each in self.missing]
        if self.uncertain:
            lines.append(
                f"{number_of(self.uncertain, 'message')} may be in both places: the last call was not answered"
            )
        if self.hidden:
            lines.append(f"{number_of(self.hidden, 'message')} could not be given back: hidden for some minutes")
        if self.error:
            lines.append(self.error)
        if self.interrupted:
            lines.append("interrupted")
        return lines

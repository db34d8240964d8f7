"""What a sender is told when a message was not sent. No text holds a body or the value of an attribute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from baselib.worker.sending.outgoing import Outgoing

HELD_BACK: Final = "HeldBack"
"""The code of a message that was not tried, because one before it failed."""

_TOLD: Final = 3


class UnsendableError(ValueError):
    """A message that SQS would refuse, whoever sends it and however often."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that was not sent.

    Attributes:
        index: Its place among the messages that were given, from 0.
        code: SQS's code, such as `InternalError`; the name of an exception where there was no answer; `HeldBack` where
            it was not tried because one before it failed.
        reason: What SQS or the exception said.
        uncertain: Whether SQS may have it all the same, because a call broke off before its answer came.
        overtaken: Whether a later message of its group, in the same call, was accepted.
        message: The message, ready to be sent again. On a FIFO queue it has the deduplication id that it was sent with,
            so that within five minutes SQS takes it once, even where it is uncertain.
    """

    index: int
    code: str
    reason: str
    uncertain: bool
    overtaken: bool
    message: Outgoing = field(repr=False)


class SendError(RuntimeError):
    """Not everything was sent.

    Nothing after the batch with the first failure was tried. `send_many` with `error.rest`, and with whatever has not
    been taken yet, sends the others without sending anything twice, unless a failure is `uncertain`.

    Args:
        sent: The ids that SQS gave, by the messages' places.
        failures: What was not sent, in order.
        taken: How many messages had been taken from what was given; the later ones have not been looked at.
        broke_off: Whether taking the next one failed.
    """

    def __init__(
        self, sent: Mapping[int, str], failures: Sequence[Failure], taken: int, broke_off: bool = False
    ) -> None:
        told = "; ".join(_told(failure) for failure in failures[:_TOLD])
        more = f"; and {len(failures) - _TOLD} more" if len(failures) > _TOLD else ""
        end = f"; the messages broke off after {taken}" if broke_off else ""
        super().__init__(f"sent {len(sent)} of {taken} messages{': ' if told else ''}{told}{more}{end}")
        self.sent: Mapping[int, str] = dict(sent)
        self.failures = tuple(failures)
        self.taken = taken
        self.broke_off = broke_off

    def __reduce__(self) -> tuple[type["SendError"], tuple[object, ...]]:
        # An exception is otherwise made again from its text alone, where one process hands it to another.
        return type(self), (self.sent, self.failures, self.taken, self.broke_off)

    @property
    def rest(self) -> tuple[Outgoing, ...]:
        """The messages that were taken and not sent, in order."""
        return tuple(failure.message for failure in self.failures)


def _told(failure: Failure) -> str:
    notes = (" (SQS may have it)" if failure.uncertain else "") + (" (overtaken)" if failure.overtaken else "")
    return f"message {failure.index}: {failure.code}: {failure.reason}{notes}"


def failure(index: int, error: Exception, message: Outgoing) -> Failure:
    """A message that was not tried because of an exception.

    Args:
        index: Its place among the messages that were given.
        error: The exception.
        message: The message.
    """
    return Failure(index, error_code(error), error_reason(error), uncertain=False, overtaken=False, message=message)


def error_code(error: Exception) -> str:
    """What names an error: the code of the AWS service, and the exception's name where there was no answer."""
    return str(_answered(error, "Code") or type(error).__name__)


def error_reason(error: Exception) -> str:
    """What an error says."""
    return str(_answered(error, "Message") or error)


def _answered(error: Exception, part: str) -> object:
    response = getattr(error, "response", None)
    return response.get("Error", {}).get(part) if isinstance(response, dict) else None

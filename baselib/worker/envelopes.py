r"""Envelopes: what SNS and EventBridge put around a message on its way to a queue.

>>> notification = '{"Type": "Notification", "MessageId": "m-1", "TopicArn": "arn:aws:sns:us-east-1:1:lessons", ' \
...     '"Message": "hola", "Timestamp": "2026-11-23T10:00:00.000Z"}'
>>> inside = opened(notification, {}, [SNS])
>>> inside.body, inside.id, inside.sent
('hola', 'm-1', 1795428000.0)
"""

import enum
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NoReturn

from baselib.worker.message import Reject

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Envelope(enum.Enum):
    """What is around the messages of a queue. A handler names it; nothing is guessed from a body."""

    SNS = "SNS"
    """A notification of a topic without raw message delivery
    (https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html)."""

    EVENTBRIDGE = "EventBridge"
    """An event of a bus, as a rule without an input transformer passes it on
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html)."""


SNS: Final = Envelope.SNS
EVENTBRIDGE: Final = Envelope.EVENTBRIDGE


class EnvelopeError(Reject):
    """A message that is not in the envelope in which it should be. The text names what is wrong, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was inside.

    Attributes:
        body: The text of the message inside.
        attributes: SQS's attributes, those of each envelope over them. Of SNS those that the publisher gave, as far as
            they are text, and `MessageId`, `TopicArn`, `Timestamp` and `Subject`; of EventBridge `id`, `detail-type`,
            `source`, `time`, `account`, `region`, `version` and, as JSON, `resources`.
        id: The innermost envelope's own id, which stays the same when SNS or EventBridge delivers twice, as SQS's does
            not. None without an envelope.
        sent: When that envelope says the message was sent, in seconds since 1970. None without an envelope.
    """

    body: str
    attributes: Mapping[str, str]
    id: str | None = None
    sent: float | None = None


def opened(body: str, attributes: Mapping[str, str], envelopes: Sequence[Envelope]) -> Opened:
    """Take a message out of its envelopes.

    Args:
        body: The body of an SQS message.
        attributes: Its string attributes.
        envelopes: The envelopes, from the outside: `[SNS, EVENTBRIDGE]` for a bus that feeds a topic that feeds the
            queue. Empty for none.

    Raises:
        EnvelopeError: The message is not in them.
    """
    found = Opened(body, attributes)
    for envelope in envelopes:
        inside = _OPENERS[envelope](_Fields(envelope.value, found.body))
        found = Opened(inside.body, {**found.attributes, **inside.attributes}, inside.id, inside.sent)
    return found


class _Fields:
    """The fields of an envelope; what is not as it should be is an error that says so."""

    def __init__(self, envelope: str, body: str) -> None:
        self._envelope = envelope
        try:
            read = json.loads(body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise self.error("the body is not JSON") from None
        if not isinstance(read, dict):
            raise self.error("the body is JSON, and not an object")
        self._fields = read

    def error(self, what: str) -> EnvelopeError:
        return EnvelopeError(f"no envelope of {self._envelope}: {what}")

    def text(self, name: str) -> str:
        """A field that has to be there."""
        found = self.optional_text(name)
        if not found:
            raise self.error(f"{name} is missing or empty")
        return found

    def optional_text(self, name: str) -> str | None:
        """A field that may be missing, or null."""
        found = self._fields.get(name)
        return None if found is None else self._checked(name, found)

    def texts(self, *names: str) -> dict[str, str]:
        """Those of the fields that are there."""
        return {name: found for name in names if (found := self.optional_text(name)) is not None}

    def mapping(self, name: str, *, required: bool = False) -> dict[str, Any]:
        """A field that is an object; empty when it is missing and may be."""
        found = self._fields.get(name)
        if found is None and not required:
            return {}
        if not isinstance(found, dict):
            raise self.error(f"{name} is missing or not an object")
        return found

    def written(self, name: str) -> str:
        """A field as JSON."""
        try:
            return self._checked(name, json.dumps(self._fields[name], ensure_ascii=False, allow_nan=False))
        except (ValueError, RecursionError):
            raise self.error(f"{name} cannot be written as JSON again") from None

    def time(self, name: str) -> float:
        """A moment, in seconds since 1970; one without a zone is UTC."""
        text = self.text(name)
        try:
            read = datetime.fromisoformat(text)
            return ((read if read.tzinfo else read.replace(tzinfo=UTC)) - _EPOCH).total_seconds()
        except (ValueError, OverflowError):
            raise self.error(f"{name} is not a time as ISO 8601 writes it") from None

    def has(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def value(self, name: str, value: object) -> str | None:
        """What an attribute of SNS says, None where it is bytes."""
        match value:
            case {"Type": str(kind), "Value": str(found)}:
                return None if kind.startswith("Binary") else self._checked(f"MessageAttributes/{name}", found)
        raise self.error("one of MessageAttributes is not an object with a Type and a Value")

    def _checked(self, name: str, found: object) -> str:
        if not isinstance(found, str):
            raise self.error(f"{name} is not a text")
        try:
            found.encode()
        except UnicodeEncodeError:
            raise self.error(f"{name} holds half a character") from None
        return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _from_sns(fields: _Fields) -> Opened:
    if fields.text("Type") != "Notification":
        raise fields.error("Type is not Notification")
    attributes = {}
    for name, each in fields.mapping("MessageAttributes").items():
        value = fields.value(name, each)
        if value is not None:
            attributes[name] = value
    # SNS's own, over what a publisher may have called the same.
    attributes.update(fields.texts("MessageId", "TopicArn", "Timestamp", "Subject"))
    return Opened(fields.text("Message"), attributes, fields.text("MessageId"), fields.time("Timestamp"))


def _from_eventbridge(fields: _Fields) -> Opened:
    fields.mapping("detail", required=True)
    attributes = fields.texts("version", "id", "detail-type", "source", "account", "time", "region")
    for name in ("detail-type", "source"):
        fields.text(name)
    if fields.has("resources"):
        attributes["resources"] = fields.written("resources")
    return Opened(fields.written("detail"), attributes, fields.text("id"), fields.time("time"))


_OPENERS: Final[Mapping[Envelope, Callable[[_Fields], Opened]]] = MappingProxyType(
    {SNS: _from_sns, EVENTBRIDGE: _from_eventbridge}
)

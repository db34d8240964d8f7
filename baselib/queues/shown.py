"""A message as an operator sees it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from baselib.queues.batches import Raw
from baselib.queues.bodies import BodyMask
from baselib.queues.text import duration, printable
from baselib.telemetry.identifiers import REQUEST_ID_HEADER

_SHOWN_CHARACTERS: Final = 400
_MILLISECONDS: Final = 1000.0


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """One message.

    Attributes:
        id: SQS's id of it.
        sent: When it was sent, in seconds since 1970.
        receive_count: How often it has been received, this time included.
        group: Its message group, or None.
        request_id: The id of the request in which it was sent, or None.
        source: The name of the queue that SQS moved it from, or None.
        attributes: Its attributes, masked by name; a binary one is only said to be there.
        body: Its body: whole when that was asked for, else masked; None when it is not shown.
        body_bytes: The size of its body.
    """

    id: str
    sent: float
    receive_count: int
    group: str | None
    request_id: str | None
    source: str | None
    attributes: dict[str, str]
    body: str | None
    body_bytes: int

    @classmethod
    def of(cls, raw: Raw, mask: BodyMask, *, whole: bool) -> Self:
        """A message as boto3 gives it.

        Args:
            raw: The message.
            mask: Masks.
            whole: Whether the body is shown as it is.
        """
        system: dict[str, str] = raw.get("Attributes", {})
        attributes = {
            name: mask.field(name, value["StringValue"]) if "StringValue" in value else "<binary>"
            for name, value in raw.get("MessageAttributes", {}).items()
        }
        body: str = raw["Body"]
        return cls(
            id=raw["MessageId"],
            sent=int(system.get("SentTimestamp", 0)) / _MILLISECONDS,
            receive_count=int(system.get("ApproximateReceiveCount", 0)),
            group=system.get("MessageGroupId"),
            request_id=attributes.pop(REQUEST_ID_HEADER, None),
            source=system["DeadLetterQueueSourceArn"].rpartition(":")[2]
            if "DeadLetterQueueSourceArn" in system
            else None,
            attributes=attributes,
            body=body if whole else mask.masked(body),
            body_bytes=len(body.encode()),
        )

    def as_json(self, now: float) -> dict[str, Any]:
        """The message for machines.

        Args:
            now: The time, in seconds since 1970.
        """
        return {
            "id": self.id,
            "sent": _instant(self.sent),
            "age_seconds": round(max(0.0, now - self.sent), 3),
            "receive_count": self.receive_count,
            "group": self.group,
            "request_id": self.request_id,
            "source": self.source,
            "attributes": self.attributes,
            "body": self.body,
            "body_bytes": self.body_bytes,
        }

    def text(self, now: float, *, whole: bool) -> str:
        """The message for people, in some lines.

        Args:
            now: The time, in seconds since 1970.
            whole: Whether the body is shown to its end.
        """
        facts = [f"sent {_instant(self.sent)}, {duration(now - self.sent)} ago", f"received {self.receive_count}x"]
        for name, value in (("group", self.group), ("request", self.request_id), ("from", self.source)):
            if value is not None:
                facts.append(f"{name} {printable(value)}")
        lines = [self.id, f"  {', '.join(facts)}"]
        if self.attributes:
            told = " ".join(f"{printable(name)}={printable(value)}" for name, value in sorted(self.attributes.items()))
            lines.append(f"  attributes: {_cut(told, whole=whole)}")
        size = f"{self.body_bytes:,} bytes"
        if self.body is None:
            lines.append(f"  body ({size}): no JSON, so nothing in it can be masked: see it with --show-bodies")
        else:
            lines.append(f"  body ({size}): {_cut(printable(self.body), whole=whole)}")
        return "\n".join(lines)


def _cut(text: str, *, whole: bool) -> str:
    return text if whole or len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

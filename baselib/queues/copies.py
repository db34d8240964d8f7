"""A message's copy, as it is sent to another queue."""

import hashlib
import time
from typing import Any, Final

from baselib.queues.batches import Entry, Raw

_VALUE: Final = ("DataType", "StringValue", "BinaryValue")
# Twice the interval in which SQS accepts a message with the same deduplication id and throws it away, because the
# clocks of this machine and of SQS may differ:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
_FORGOTTEN_SECONDS: Final = 600.0


def copy_of(raw: Raw, *, fifo: bool) -> Entry:
    """What `send_message_batch` needs for a message with the same body, attributes, trace and group.

    Args:
        raw: The message as it was received, with all its attributes.
        fifo: Whether it goes to a FIFO queue.
    """
    system: dict[str, str] = raw.get("Attributes", {})
    entry: Entry = {"MessageBody": raw["Body"]}
    attributes = {name: _value(value) for name, value in raw.get("MessageAttributes", {}).items()}
    if attributes:
        entry["MessageAttributes"] = attributes
    if trace := system.get("AWSTraceHeader"):
        entry["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
    # In a queue that is not FIFO the group is there for fairness between tenants.
    if group := system.get("MessageGroupId"):
        entry["MessageGroupId"] = group
    if fifo:
        entry["MessageDeduplicationId"] = _deduplication_id(raw, system)
    return entry


def _deduplication_id(raw: Raw, system: dict[str, str]) -> str:
    """The message's own, unless SQS could take the copy for a message that it has already and throw it away.

    Then it is the message's id, which SQS itself uses when it moves a message to a dead-letter queue:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    own = system.get("MessageDeduplicationId")
    age = time.time() - int(system.get("SentTimestamp", 0)) / 1000
    # Made from the body it says nothing about which message this is.
    of_body = own == hashlib.sha256(raw["Body"].encode()).hexdigest()
    return str(raw["MessageId"]) if own is None or of_body or age < _FORGOTTEN_SECONDS else own


def _value(value: dict[str, Any]) -> dict[str, Any]:
    return {name: value[name] for name in _VALUE if name in value}

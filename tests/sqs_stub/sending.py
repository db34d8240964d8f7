"""SendMessage and SendMessageBatch.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
"""

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

import orjson

from tests.sqs_stub.batches import Entry, each_entry, entries_of
from tests.sqs_stub.errors import SqsError, invalid, missing
from tests.sqs_stub.fifo import FifoQueue, content_digest, sequence_number
from tests.sqs_stub.message import Message, md5_of_attributes
from tests.sqs_stub.queues import Queue
from tests.sqs_stub.service import Service

_MAXIMUM_BATCH_BYTES: Final = 1_048_576
_MAXIMUM_DELAY_SECONDS: Final = 900
_MAXIMUM_ATTRIBUTES: Final = 10
# "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF" are allowed (page above).
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TYPES: Final = re.compile(r"(String|Number|Binary)(\..+)?")
_GROUP: Final = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")
_TRACE: Final = "AWSTraceHeader"


def send_message(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Send one message."""
    queue = service.queue(parameters)
    queue.calls["SendMessage"] += 1
    queue.entries["SendMessage"] += 1
    answer = _send(queue, parameters)
    queue.wake()
    return orjson.dumps(answer)


def send_message_batch(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Send up to ten messages; those who wait are woken when all are in."""
    queue = service.queue(parameters)
    queue.calls["SendMessageBatch"] += 1
    entries = entries_of("SendMessageBatch", parameters)
    total = sum(_size(entry) for entry in entries)
    if total > _MAXIMUM_BATCH_BYTES:
        raise SqsError(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {_MAXIMUM_BATCH_BYTES} bytes. You have sent {total} bytes.",
        )
    answer = each_entry(service, queue, "SendMessageBatch", entries, lambda entry: _send(queue, entry))
    queue.wake()
    return answer


def _send(queue: Queue, entry: Entry) -> dict[str, Any]:
    body = entry.get("MessageBody")
    if not body:
        raise missing("MessageBody")
    if _FORBIDDEN.search(body):
        raise SqsError("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 and more.")
    attributes = entry.get("MessageAttributes")
    if attributes:
        _check_attributes(attributes)
    if _size(entry) > queue.attributes.maximum_size:
        raise invalid(
            "One or more parameters are invalid. Reason: Message must be shorter than "
            f"{queue.attributes.maximum_size} bytes."
        )
    group = entry.get("MessageGroupId", "")
    if group and not _GROUP.fullmatch(group):
        raise invalid(f"Value {group} for parameter MessageGroupId is invalid.")
    system = entry.get("MessageSystemAttributes") or {}
    message = Message(
        str(uuid.uuid4()),
        body,
        attributes=attributes,
        group=group,
        deduplication=_deduplication(queue, entry, body),
        trace=system.get(_TRACE, {}).get("StringValue", ""),
    )
    _put(queue, message, _delay(queue, entry))
    return _answer(queue, message, system)


def _answer(queue: Queue, message: Message, system: Mapping[str, Any]) -> dict[str, Any]:
    answer = {"MessageId": message.id, "MD5OfMessageBody": message.md5}
    if message.attributes:
        answer["MD5OfMessageAttributes"] = message.attributes_md5
    if system:
        answer["MD5OfMessageSystemAttributes"] = md5_of_attributes(system)
    if queue.fifo:
        answer["SequenceNumber"] = sequence_number(message)
    return answer


def _put(queue: Queue, message: Message, delay: float) -> None:
    if isinstance(queue, FifoQueue):
        before = queue.duplicate_of(message)
        if before is not None:
            message.id, message.number = before.id, before.number
            return
    queue.put(message, delay)


def _deduplication(queue: Queue, entry: Entry, body: str) -> str:
    given = str(entry.get("MessageDeduplicationId", ""))
    if not queue.fifo:
        if given:
            raise invalid("The request includes a parameter that is not valid for this queue type")
        return ""
    if not entry.get("MessageGroupId"):
        raise missing("MessageGroupId")
    if given:
        if not _GROUP.fullmatch(given):
            raise invalid(f"Value {given} for parameter MessageDeduplicationId is invalid.")
        return given
    if not queue.attributes.content_based:
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"
        )
    return content_digest(body)


def _delay(queue: Queue, entry: Entry) -> float:
    delay = entry.get("DelaySeconds")
    if delay is None:
        return queue.attributes.delay
    if not isinstance(delay, int) or not 0 <= delay <= _MAXIMUM_DELAY_SECONDS or (queue.fifo and delay):
        raise invalid(
            f"Value {delay} for parameter DelaySeconds is invalid. Reason: "
            + ("The request include parameter that is not valid for this queue type." if queue.fifo else "0 to 900.")
        )
    return delay


def _size(entry: Entry) -> int:
    """The body and the attributes count: names, types and values."""
    body = str(entry.get("MessageBody", ""))
    size = len(body) if body.isascii() else len(body.encode("utf-8", "surrogatepass"))
    for name, attribute in (entry.get("MessageAttributes") or {}).items():
        size += len(name.encode()) + len(str(attribute.get("DataType", "")).encode())
        size += len(str(attribute.get("StringValue", "")).encode())
        size += len(attribute.get("BinaryValue", "")) * 3 // 4
    return size


def _check_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> None:
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    if len(attributes) > _MAXIMUM_ATTRIBUTES:
        raise invalid(f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10].")
    for name, attribute in attributes.items():
        kind = _TYPES.fullmatch(str(attribute.get("DataType", "")))
        if not kind:
            raise invalid(f"The message attribute '{name}' has an invalid message attribute type.")
        value = attribute.get("BinaryValue" if kind[1] == "Binary" else "StringValue")
        if not value:
            raise invalid(f"The message attribute '{name}' must contain a non-empty message attribute value.")
        if kind[1] == "Binary":
            try:
                base64.b64decode(value, validate=True)
            except binascii.Error:
                raise invalid(f"The message attribute '{name}' is no base64.") from None

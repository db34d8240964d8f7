"""One message, and the digests that SQS gives for it."""

import base64
import hashlib
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import orjson


class State(IntEnum):
    """Where a message is in its life."""

    VISIBLE = 0
    IN_FLIGHT = 1
    DELAYED = 2
    GONE = 3


class Message:
    """A message in one queue.

    Attributes:
        number: Its place in its queue, from 1.
        fixed: The part of its JSON that is the same at every receive, without the closing brace.
        sent: When it was sent, in seconds since 1970.
        expires: When SQS deletes it.
        receive_count: How often it was received, over all queues.
        received_here: How often it was received from the queue in which it is.
        received: When it was last received.
        due: When it becomes visible.
        receipt: The newest receipt handle, empty until the first receive.
        group: The message group, empty if it has none.
        source: The ARN of the queue from which it was dead-lettered, empty if it was not.
    """

    __slots__ = (
        "attributes",
        "attributes_md5",
        "body",
        "deduplication",
        "due",
        "expires",
        "first_received",
        "fixed",
        "group",
        "id",
        "md5",
        "number",
        "receipt",
        "receive_count",
        "received",
        "received_here",
        "sent",
        "source",
        "state",
        "trace",
    )

    def __init__(
        self,
        message_id: str,
        body: str,
        *,
        attributes: Mapping[str, Mapping[str, Any]] | None = None,
        group: str = "",
        deduplication: str = "",
        trace: str = "",
    ) -> None:
        self.id = message_id
        self.body = body
        self.md5 = hashlib.md5(body.encode()).hexdigest()
        self.attributes = attributes
        self.attributes_md5 = md5_of_attributes(attributes) if attributes else ""
        self.group = group
        self.deduplication = deduplication
        self.trace = trace
        self.fixed = b'{"MessageId":"%b","MD5OfBody":"%b","Body":%b,"ReceiptHandle":"' % (
            message_id.encode(),
            self.md5.encode(),
            orjson.dumps(body),
        )
        self.number = 0
        self.sent = self.expires = self.first_received = self.received = self.due = 0.0
        self.receive_count = self.received_here = 0
        self.receipt = ""
        self.source = ""
        self.state = State.GONE


def md5_of_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """The digest over names, types and values, sorted by name.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    #sqs-attributes-md5-message-digest-calculation
    """
    digest = hashlib.md5()

    def add(part: bytes) -> None:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)

    for name in sorted(attributes):
        attribute = attributes[name]
        data_type = str(attribute["DataType"])
        add(name.encode())
        add(data_type.encode())
        if data_type.startswith("Binary"):
            digest.update(b"\x02")
            add(base64.b64decode(attribute["BinaryValue"]))
        else:
            digest.update(b"\x01")
            add(str(attribute["StringValue"]).encode())
    return digest.hexdigest()

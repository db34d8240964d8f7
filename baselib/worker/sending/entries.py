"""Messages are checked and written down as SQS wants them, before anything is sent."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from baselib.telemetry import current_span
from baselib.telemetry.identifiers import REQUEST_ID_HEADER
from baselib.worker.limits import (
    FIFO_ID,
    FORBIDDEN,
    MAXIMUM_ATTRIBUTES,
    MAXIMUM_BYTES,
    MAXIMUM_DELAY_SECONDS,
    utf8_bytes,
)
from baselib.worker.pointers import SIZE_ATTRIBUTE, Pointer
from baselib.worker.sending.attributes import attributes_bytes, number, text, written
from baselib.worker.sending.errors import UnsendableError
from baselib.worker.sending.fifo import deduplication_id, is_fifo
from baselib.worker.sending.outgoing import Outgoing
from baselib.worker.sending.storage import PayloadStorage, payload_storage

# Of the characters that SQS refuses these two alone may stand unescaped in JSON, and there only inside a string.
_ESCAPED: Final = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One message, checked.

    Attributes:
        index: Its place among the messages that were given.
        message: The message, with everything that was found out about it.
        parameters: What SQS is told, besides the queue.
        weight: The bytes that it counts in a batch: its size, or that of its body where it is in S3, so that no more
            than one large body is in memory at a time.
        body: What belongs in S3; None when the message holds it.
        pointer: Where in S3.
    """

    index: int
    message: Outgoing
    parameters: Mapping[str, Any]
    weight: int
    body: str | None = None
    pointer: Pointer | None = None

    @property
    def group(self) -> str | None:
        """Its message group."""
        return self.message.group


class Writer:
    """Checks and writes the messages of one sender for one queue.

    Args:
        client: A boto3 SQS client.
        queue_url: The queue's URL.
        common: What counts where a message says nothing of its own; its body does not.
    """

    def __init__(self, client: Any, queue_url: str, common: Outgoing) -> None:
        self._client = client
        self._queue_url = queue_url
        self._fifo = is_fifo(queue_url)
        self._common = common
        self._common_attributes = written(common.attributes or {})
        span = current_span()
        self._request_id = None if span is None else {REQUEST_ID_HEADER: text(span.request_id)}
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_MessageSystemAttributeValue.html
        self._system = (
            None if span is None or span.trace_id is None else {"AWSTraceHeader": text(f"Root={span.trace_id}")}
        )

    def check(self, given: object) -> None:
        """See that SQS would take a message, without asking it.

        Args:
            given: A pydantic model, text, or `Outgoing`.

        Raises:
            UnsendableError: It would not.
        """
        message = self.completed(given)
        self._sized(message, _body(message.body))

    def write(self, index: int, given: object) -> Entry:
        """Check a message, and write it as SQS wants it; nothing is put into S3 yet.

        Args:
            index: Its place among the messages that were given.
            given: A pydantic model, text, or `Outgoing`.

        Raises:
            UnsendableError: SQS would refuse it.
            botocore.exceptions.ClientError: SQS does not say whether a FIFO queue goes by content.
        """
        message = self.completed(given)
        body = _body(message.body)
        attributes, size, storage = self._sized(message, body)
        if self._fifo and message.deduplication_id is None:
            found = deduplication_id(self._client, self._queue_url, body, moved=storage is not None)
            message = dataclasses.replace(message, deduplication_id=found)
        pointer = None
        parameters: dict[str, Any] = {"MessageBody": body}
        if storage is not None:
            pointer = storage.pointer()
            parameters["MessageBody"] = pointer.text()
        if attributes:
            parameters["MessageAttributes"] = attributes
        if self._system:
            parameters["MessageSystemAttributes"] = self._system
        if not self._fifo:
            # On a FIFO queue only the queue itself has a delay.
            parameters["DelaySeconds"] = message.delay
        if message.group is not None:
            parameters["MessageGroupId"] = message.group
        if message.deduplication_id is not None:
            parameters["MessageDeduplicationId"] = message.deduplication_id
        return Entry(index, message, parameters, size, None if pointer is None else body, pointer)

    def completed(self, given: Any) -> Outgoing:
        """What was given, with what is common where it says nothing; whether SQS would take it is another question.

        Args:
            given: A pydantic model, text, or `Outgoing`.
        """
        common = self._common
        if not isinstance(given, Outgoing):
            return dataclasses.replace(common, body=given)
        return Outgoing(
            given.body,
            common.delay if given.delay is None else given.delay,
            common.group if given.group is None else given.group,
            common.deduplication_id if given.deduplication_id is None else given.deduplication_id,
            {**(common.attributes or {}), **(given.attributes or {})},
        )

    def _sized(self, message: Outgoing, body: str) -> tuple[dict[str, dict[str, Any]], int, PayloadStorage | None]:
        """Its attributes, its size, and where its body goes if not into the message."""
        self._check_options(message)
        if message.attributes is self._common.attributes:
            attributes = dict(self._common_attributes)
        else:
            attributes = written(message.attributes or {})
        body_bytes = utf8_bytes(body)
        own = attributes_bytes(attributes)
        storage = payload_storage()
        limit = MAXIMUM_BYTES if storage is None else storage.threshold_bytes
        if body_bytes + own <= limit:
            _check_count(attributes, MAXIMUM_ATTRIBUTES)
            size = body_bytes + own + self._add_request_id(attributes, limit - body_bytes - own)
            return attributes, size, None
        if storage is None:
            raise UnsendableError(
                f"it has {body_bytes + own} bytes, {own} of them attributes: SQS accepts {MAXIMUM_BYTES}; set "
                "PAYLOAD_BUCKET to an S3 bucket, and larger bodies go there"
            )
        _check_count(attributes, MAXIMUM_ATTRIBUTES - 1)
        attributes[SIZE_ATTRIBUTE] = number(body_bytes)
        pointed = utf8_bytes(storage.pointer().text()) + attributes_bytes(attributes)
        if pointed > MAXIMUM_BYTES:
            raise UnsendableError(
                f"its attributes have {own} bytes: SQS accepts {MAXIMUM_BYTES} for a message, and only a body can go "
                "to S3"
            )
        self._add_request_id(attributes, MAXIMUM_BYTES - pointed)
        return attributes, max(body_bytes, pointed), storage

    def _add_request_id(self, attributes: dict[str, dict[str, Any]], room: int) -> int:
        """Add the id of the work in hand, unless the message would be refused for it; return its bytes."""
        if self._request_id is None or REQUEST_ID_HEADER in attributes or len(attributes) == MAXIMUM_ATTRIBUTES:
            return 0
        size = attributes_bytes(self._request_id)
        if size > room:
            return 0
        attributes.update(self._request_id)
        return size

    def _check_options(self, message: Outgoing) -> None:
        delay = message.delay
        if isinstance(delay, bool) or not isinstance(delay, int) or not 0 <= delay <= MAXIMUM_DELAY_SECONDS:
            raise UnsendableError(f"delay is {delay!r}: accepted are 0 to {MAXIMUM_DELAY_SECONDS} whole seconds")
        for name in ("group", "deduplication_id"):
            value = getattr(message, name)
            if value is not None and not (isinstance(value, str) and FIFO_ID.fullmatch(value)):
                raise UnsendableError(f"{name} is not 1 to 128 letters, digits and punctuation marks of ASCII")
        if not self._fifo:
            if message.deduplication_id is not None:
                raise UnsendableError("deduplication_id is for FIFO queues: this one's name does not end with .fifo")
        elif message.group is None:
            raise UnsendableError("group is missing: on a FIFO queue each message belongs to a group")
        elif delay:
            raise UnsendableError(f"delay is {delay}: on a FIFO queue only the queue itself has a delay")


def _check_count(attributes: Mapping[str, object], most: int) -> None:
    if len(attributes) > most:
        why = "" if most == MAXIMUM_ATTRIBUTES else ", one less for a message whose body is in S3"
        raise UnsendableError(f"it has {len(attributes)} attributes: SQS accepts {MAXIMUM_ATTRIBUTES}{why}")


def _body(given: Any) -> str:
    if isinstance(given, str):
        body = given
    elif hasattr(given, "model_dump_json"):
        try:
            body = given.model_dump_json().translate(_ESCAPED)
        except ValueError as error:
            # What pydantic says quotes the value.
            told = f"the body, a {type(given).__name__}, has no JSON: {type(error).__name__}"
            raise UnsendableError(told) from None
    else:
        raise UnsendableError(f"the body is of type {type(given).__name__}: accepted are a pydantic model and text")
    if not body:
        raise UnsendableError("the body is empty: SQS wants at least one character")
    found = FORBIDDEN.search(body)
    if found:
        raise UnsendableError(
            f"the body holds U+{ord(found[0]):04X} at {found.start()}: SQS refuses it; accepted are tab, line feed, "
            "carriage return and what XML 1.0 calls a character"
        )
    return body

"""ReceiveMessage.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import orjson

from tests.sqs_stub.errors import SqsError, invalid
from tests.sqs_stub.fifo import FifoQueue, sequence_number
from tests.sqs_stub.message import Message, State, md5_of_attributes
from tests.sqs_stub.queues import Queue
from tests.sqs_stub.service import Service
from tests.sqs_stub.waiting import Waiter

_EMPTY: Final = b"{}"
_SENDER: Final = "AIDAAAAAAAAAAAAAAAAAA"
_MAXIMUM_ATTEMPT_LETTERS: Final = 128


def receive_message(service: Service, parameters: Mapping[str, Any]) -> bytes | Waiter:
    """Receive what is visible, or wait for it."""
    queue = service.queue(parameters)
    queue.calls["ReceiveMessage"] += 1
    attributes = queue.attributes
    limit = _within(parameters, "MaxNumberOfMessages", 1, 1, 10)
    visibility = _within(parameters, "VisibilityTimeout", attributes.visibility, 0, 43_200)
    seconds = _within(parameters, "WaitTimeSeconds", attributes.wait, 0, 20)
    render = _renderer(queue, parameters)
    attempt = str(parameters.get("ReceiveRequestAttemptId", ""))
    if attempt and (not isinstance(queue, FifoQueue) or len(attempt) > _MAXIMUM_ATTEMPT_LETTERS):
        raise invalid(f"Value {attempt} for parameter ReceiveRequestAttemptId is invalid.")
    messages = _take(queue, attempt, limit, visibility)
    if messages:
        queue.entries["ReceiveMessage"] += len(messages)
    elif seconds:
        waiter = Waiter(limit, visibility, seconds, partial(_after_waiting, queue, attempt, render))
        queue.wait(waiter)
        return waiter
    elif not queue.fifo and queue.counts[State.IN_FLIGHT] >= queue.in_flight_limit:
        # Only a short poll is told so; a long poll gets nothing:
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
        raise SqsError("OverLimit", "Too many messages are in flight.")
    return render(messages)


def _take(queue: Queue, attempt: str, limit: int, visibility: float) -> list[Message]:
    if attempt and isinstance(queue, FifoQueue):
        return queue.take_again(attempt, limit, visibility)
    return queue.take(limit, visibility)


def _after_waiting(
    queue: Queue, attempt: str, render: Callable[[list[Message]], bytes], messages: list[Message]
) -> bytes:
    if attempt and isinstance(queue, FifoQueue):
        queue.remember(attempt, messages)
    return render(messages)


def _within(parameters: Mapping[str, Any], name: str, default: int, lowest: int, highest: int) -> int:
    value = parameters.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or not lowest <= value <= highest:
        raise invalid(
            f"Value {value} for parameter {name} is invalid. Reason: Must be >= {lowest} and <= {highest}, if provided."
        )
    return value


def _renderer(queue: Queue, parameters: Mapping[str, Any]) -> Callable[[list[Message]], bytes]:
    system = [*(parameters.get("AttributeNames") or ()), *(parameters.get("MessageSystemAttributeNames") or ())]
    custom = parameters.get("MessageAttributeNames") or ()
    return partial(_render, queue, frozenset(system), custom)


def _render(queue: Queue, system: frozenset[str], custom: Sequence[str], messages: list[Message]) -> bytes:
    if not messages:
        queue.empty_receives += 1
        return _EMPTY
    parts: list[bytes] = []
    for message in messages:
        part = message.fixed + message.receipt.encode() + b'"'
        if system:
            attributes = _system_attributes(queue, message)
            if "All" not in system:
                attributes = {name: value for name, value in attributes.items() if name in system}
            if attributes:
                part += b',"Attributes":' + orjson.dumps(attributes)
        if custom and message.attributes:
            part += _custom_attributes(message, custom)
        parts.append(part + b"}")
    return b'{"Messages":[' + b",".join(parts) + b"]}"


def _system_attributes(queue: Queue, message: Message) -> dict[str, str]:
    attributes = {
        "SenderId": _SENDER,
        "SentTimestamp": str(int(message.sent * 1_000)),
        "ApproximateReceiveCount": str(message.receive_count),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received * 1_000)),
    }
    if message.group:
        attributes["MessageGroupId"] = message.group
    if queue.fifo:
        attributes["MessageDeduplicationId"] = message.deduplication
        attributes["SequenceNumber"] = sequence_number(message)
    if message.trace:
        attributes["AWSTraceHeader"] = message.trace
    if message.source:
        attributes["DeadLetterQueueSourceArn"] = message.source
    return attributes


def _custom_attributes(message: Message, wanted: Sequence[str]) -> bytes:
    assert message.attributes is not None
    if "All" in wanted or ".*" in wanted:
        chosen, digest = message.attributes, message.attributes_md5
    else:
        prefixes = tuple(name.removesuffix("*") for name in wanted if name.endswith(".*"))
        chosen = {
            name: value
            for name, value in message.attributes.items()
            if name in wanted or (prefixes and name.startswith(prefixes))
        }
        if not chosen:
            return b""
        digest = md5_of_attributes(chosen)
    return b',"MD5OfMessageAttributes":"%b","MessageAttributes":%b' % (digest.encode(), orjson.dumps(chosen))

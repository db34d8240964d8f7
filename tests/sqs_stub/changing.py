"""DeleteMessage, ChangeMessageVisibility, and both as batches."""

from collections.abc import Mapping
from typing import Any, Final

from tests.sqs_stub.batches import Entry, each_entry, entries_of
from tests.sqs_stub.errors import invalid, missing
from tests.sqs_stub.queues import Queue
from tests.sqs_stub.service import Service

_MAXIMUM_SECONDS: Final = 43_200
_NOTHING: Final = b"{}"


def delete_message(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Delete one message."""
    queue = service.queue(parameters)
    queue.calls["DeleteMessage"] += 1
    queue.entries["DeleteMessage"] += 1
    queue.delete(_receipt(parameters))
    _others_of_the_group(queue)
    return _NOTHING


def delete_message_batch(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Delete up to ten messages."""
    queue = service.queue(parameters)
    queue.calls["DeleteMessageBatch"] += 1
    entries = entries_of("DeleteMessageBatch", parameters)
    answer = each_entry(service, queue, "DeleteMessageBatch", entries, lambda entry: queue.delete(_receipt(entry)))
    _others_of_the_group(queue)
    return answer


def change_message_visibility(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Change one message's visibility time-out."""
    queue = service.queue(parameters)
    queue.calls["ChangeMessageVisibility"] += 1
    queue.entries["ChangeMessageVisibility"] += 1
    _change(queue, parameters)
    queue.wake()
    return _NOTHING


def change_message_visibility_batch(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Change up to ten messages' visibility time-outs."""
    queue = service.queue(parameters)
    queue.calls["ChangeMessageVisibilityBatch"] += 1
    entries = entries_of("ChangeMessageVisibilityBatch", parameters)
    answer = each_entry(service, queue, "ChangeMessageVisibilityBatch", entries, lambda entry: _change(queue, entry))
    queue.wake()
    return answer


def _others_of_the_group(queue: Queue) -> None:
    """What waited for a deleted message, of its group or in a full queue, can be received now."""
    if queue.long_polls:
        queue.wake()


def _receipt(entry: Entry) -> str:
    receipt = entry.get("ReceiptHandle")
    if not receipt:
        raise missing("ReceiptHandle")
    return str(receipt)


def _change(queue: Queue, entry: Entry) -> None:
    receipt = _receipt(entry)
    seconds = entry.get("VisibilityTimeout")
    if seconds is None:
        raise missing("VisibilityTimeout")
    if not isinstance(seconds, int) or not 0 <= seconds <= _MAXIMUM_SECONDS:
        raise invalid(
            f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200."
        )
    queue.change_visibility(receipt, seconds)

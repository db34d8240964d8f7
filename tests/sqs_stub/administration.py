"""Everything that is done to a queue as a whole.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from tests.sqs_stub.errors import SqsError, invalid, missing
from tests.sqs_stub.message import State
from tests.sqs_stub.queue_attributes import check_for_kind
from tests.sqs_stub.queues import Queue
from tests.sqs_stub.service import Service

# One purge a minute:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
_PURGE_SECONDS: Final = 60.0
_MAXIMUM_RESULTS: Final = 1_000
_NOTHING: Final = b"{}"


def create_queue(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Make a queue."""
    name = parameters.get("QueueName")
    if not name:
        raise missing("QueueName")
    known = name in service.queues
    queue = service.create(name, parameters.get("Attributes") or {})
    if not known:
        queue.tags.update(parameters.get("tags") or {})
    return orjson.dumps({"QueueUrl": queue.url})


def delete_queue(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Delete a queue."""
    service.delete(service.queue(parameters))
    return _NOTHING


def get_queue_url(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """The URL of a queue."""
    found = service.queues.get(parameters.get("QueueName", ""))
    if found is None:
        raise SqsError("QueueDoesNotExist", "The specified queue does not exist.")
    return orjson.dumps({"QueueUrl": found.url})


def list_queues(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """The URLs of all queues whose names begin in the same way."""
    prefix = parameters.get("QueueNamePrefix") or ""
    urls = [queue.url for name, queue in sorted(service.queues.items()) if name.startswith(prefix)]
    return _page("QueueUrls", urls, parameters) if urls else _NOTHING


def list_dead_letter_source_queues(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """The URLs of all queues that have this one for their dead letters."""
    queue = service.queue(parameters)
    urls = [each.url for each in service.queues.values() if each.attributes.dead_letter_arn == queue.arn]
    return _page("queueUrls", urls, parameters)


def _page(name: str, urls: Sequence[str], parameters: Mapping[str, Any]) -> bytes:
    most = parameters.get("MaxResults") or _MAXIMUM_RESULTS
    start = int(parameters.get("NextToken") or 0)
    answer: dict[str, Any] = {name: urls[start : start + most]}
    # "You must set MaxResults to receive a value for NextToken in the response" (API_ListQueues).
    if parameters.get("MaxResults") and start + most < len(urls):
        answer["NextToken"] = str(start + most)
    return orjson.dumps(answer)


def get_queue_attributes(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """The attributes of a queue, and how many messages it has."""
    queue = service.queue(parameters)
    wanted = parameters.get("AttributeNames") or ()
    listed = _attributes(service, queue)
    known = {*listed, "All", "Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"}
    known |= {"KmsDataKeyReusePeriodSeconds", "FifoQueue", "ContentBasedDeduplication"}
    known |= {"DeduplicationScope", "FifoThroughputLimit"}
    for name in wanted:
        if name not in known:
            raise SqsError("InvalidAttributeName", f"Unknown Attribute {name}.")
    if "All" not in wanted:
        listed = {name: value for name, value in listed.items() if name in wanted}
    return orjson.dumps({"Attributes": listed} if listed else {})


def _attributes(service: Service, queue: Queue) -> dict[str, str]:
    queue.release(service.clock.now())
    return {
        **queue.attributes.listed(queue.fifo),
        "QueueArn": queue.arn,
        "ApproximateNumberOfMessages": str(queue.counts[State.VISIBLE]),
        "ApproximateNumberOfMessagesNotVisible": str(queue.counts[State.IN_FLIGHT]),
        "ApproximateNumberOfMessagesDelayed": str(queue.counts[State.DELAYED]),
        "CreatedTimestamp": str(int(queue.created)),
        "LastModifiedTimestamp": str(int(queue.modified)),
    }


def set_queue_attributes(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Change attributes of a queue."""
    queue = service.queue(parameters)
    values = parameters.get("Attributes") or {}
    check_for_kind(values, fifo=queue.fifo)
    if values.get("FifoQueue", "true") != "true":
        raise invalid("Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
    queue.attributes.update(values)
    queue.modified = service.clock.now()
    return _NOTHING


def purge_queue(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Delete all messages of a queue."""
    queue = service.queue(parameters)
    now = service.clock.now()
    if now - queue.purged < _PURGE_SECONDS:
        raise SqsError(
            "PurgeQueueInProgress", f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds."
        )
    queue.purged = now
    queue.purge()
    return _NOTHING


def tag_queue(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Give a queue tags."""
    service.queue(parameters).tags.update(parameters.get("Tags") or {})
    return _NOTHING


def untag_queue(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Take tags from a queue."""
    queue = service.queue(parameters)
    for key in parameters.get("TagKeys") or ():
        queue.tags.pop(key, None)
    return _NOTHING


def list_queue_tags(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """The tags of a queue."""
    tags = service.queue(parameters).tags
    return orjson.dumps({"Tags": tags} if tags else {})

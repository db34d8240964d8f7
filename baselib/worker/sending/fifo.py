"""What is particular to FIFO queues.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
"""

import hashlib
import logging
from typing import Any, Final
from uuid import uuid4

from baselib.worker.limits import FIFO_SUFFIX

_CONTENT_BASED: Final = "ContentBasedDeduplication"
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})
# URLs come from the settings; this bounds them where they come from somewhere else.
_MAXIMUM_QUEUES: Final = 1_000

_logger = logging.getLogger("baselib.worker")

# A queue's setting is asked for once; a queue that changes it is rare, and SQS takes either kind of message.
_content_based: Final[dict[str, bool]] = {}


def is_fifo(queue_url: str) -> bool:
    """Whether a queue keeps order.

    Args:
        queue_url: The queue's URL.
    """
    return queue_url.endswith(FIFO_SUFFIX)


def deduplication_id(client: Any, queue_url: str, body: str, *, moved: bool) -> str | None:
    """What SQS shall know a message by whose sender named nothing.

    A queue that goes by content does so; everywhere else the id is a fresh one, because equal jobs would otherwise be
    dropped silently.

    Args:
        client: A boto3 SQS client.
        queue_url: The queue's URL.
        body: What the sender wrote.
        moved: Whether the body went to S3, so that what SQS sees of it is different each time.

    Returns:
        The id, None where SQS shall make it from the content.
    """
    if not _goes_by_content(client, queue_url):
        return uuid4().hex
    # The same that SQS makes of a body that it sees.
    return hashlib.sha256(body.encode()).hexdigest() if moved else None


def _goes_by_content(client: Any, queue_url: str) -> bool:
    known = _content_based.get(queue_url)
    if known is not None:
        return known
    from botocore.exceptions import ClientError  # noqa: PLC0415 - only a sender needs it

    try:
        answer = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[_CONTENT_BASED])
        found = bool(answer.get("Attributes", {}).get(_CONTENT_BASED) == "true")
    except ClientError as error:
        if error.response["Error"]["Code"] not in _DENIED:
            raise
        _logger.warning("each message gets an id of its own", extra={"reason": "sqs:GetQueueAttributes is not allowed"})
        found = False
    if len(_content_based) >= _MAXIMUM_QUEUES:
        _content_based.clear()
    _content_based[queue_url] = found
    return found

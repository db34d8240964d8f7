"""Sending messages, with the ids of the work at hand."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from baselib import aws
from baselib.worker.sending.batches import batches
from baselib.worker.sending.delivery import Delivery
from baselib.worker.sending.entries import Writer
from baselib.worker.sending.errors import SendError, UnsendableError, failure
from baselib.worker.sending.outgoing import Outgoing
from baselib.worker.sending.stream import Stream

if TYPE_CHECKING:
    from pydantic import BaseModel


def send(
    queue_url: str,
    body: "BaseModel | str",
    *,
    delay: int = 0,
    group: str | None = None,
    deduplication_id: str | None = None,
    attributes: Mapping[str, str | int | bytes] | None = None,
) -> str:
    """Send a message; the receiver's log lines have the same request id as the sender's.

    A body that is too large for SQS goes to the bucket of `PAYLOAD_BUCKET`, where it is set.

    Args:
        queue_url: The queue's URL, as in `settings.queue_urls`.
        body: A pydantic model, or text.
        delay: Seconds until it can be received, at most 900; 0 on a FIFO queue.
        group: Its message group: on a FIFO queue what is kept in order, elsewhere whom it is sent for
            (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html).
        deduplication_id: On a FIFO queue, what SQS knows it by: within five minutes it takes one message of an id. A
            fresh one when None, so that equal jobs are not dropped, unless the queue goes by content.
        attributes: Text, whole numbers or bytes, by their names.

    Returns:
        SQS's id of the message.

    Raises:
        UnsendableError: SQS would refuse it; nothing has been sent.
        SendError: It was not sent, or nobody knows whether it was.
    """
    client = aws.client("sqs")
    message = Outgoing(body, delay, group, deduplication_id, attributes)
    try:
        entry = Writer(client, queue_url, message).write(0, message)
    except UnsendableError:
        raise
    except Exception as error:
        raise SendError({}, [failure(0, error, message)], 1) from error
    delivered, cause = Delivery(client, queue_url).one(entry)
    if delivered.failures:
        raise SendError(delivered.sent, delivered.failures, 1) from cause
    return delivered.sent[0]


def send_many(
    queue_url: str,
    messages: "Iterable[BaseModel | str | Outgoing]",
    *,
    delay: int = 0,
    group: str | None = None,
    attributes: Mapping[str, str | int | bytes] | None = None,
) -> list[str]:
    """Send messages with as few calls as may be: ten, and one mebibyte, with each.

    A list or a tuple is checked as a whole before the first call. Anything else is taken as it is sent, so that a
    million messages are never in memory together.

    What SQS did not take for a reason of its own is sent again, up to ten times, within the time of the work in hand.
    Where something is not sent after all, nothing after its batch is tried, so that on a FIFO queue no message of a
    group overtakes another. Only within one call can SQS itself let that happen; then the message is not sent again,
    and its failure says `overtaken`.

    Args:
        queue_url: The queue's URL, as in `settings.queue_urls`.
        messages: Pydantic models, texts, or `Outgoing` for those that differ from the others.
        delay: Seconds until each can be received, at most 900; 0 on a FIFO queue.
        group: The message group of each.
        attributes: The attributes of each: text, whole numbers or bytes, by their names.

    Returns:
        SQS's ids, in the order of the messages.

    Raises:
        TypeError: `messages` is one message.
        UnsendableError: SQS would refuse a message of a list or tuple; nothing has been sent.
        SendError: Not everything was sent; it says what was, what was not and why.
    """
    if isinstance(messages, (str, bytes, Mapping)) or hasattr(messages, "model_dump_json"):
        raise TypeError(
            f"messages is one {type(messages).__name__}: accepted is a list of models or texts; send takes one"
        )
    client = aws.client("sqs")
    stream = Stream(Writer(client, queue_url, Outgoing("", delay, group, None, attributes)), messages)
    delivery = Delivery(client, queue_url)
    ids: list[str] = []
    for batch in batches(stream):
        delivered, error = delivery.batch(batch)
        if delivered.failures:
            failures = [*delivered.failures, *stream.not_tried(batch)]
            sent = {**dict(enumerate(ids)), **delivered.sent}
            raise SendError(sent, failures, stream.taken, broke_off=stream.broke_off) from error or stream.error
        ids += [delivered.sent[entry.index] for entry in batch]
    if stream.error is not None:
        failures = stream.not_tried()
        raise SendError(dict(enumerate(ids)), failures, stream.taken, broke_off=stream.broke_off) from stream.error
    return ids

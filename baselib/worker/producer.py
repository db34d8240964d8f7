"""Sending messages, with the ids of the work at hand."""

from typing import Any

from pydantic import BaseModel

from baselib import aws
from baselib.telemetry import current_span
from baselib.telemetry.identifiers import REQUEST_ID_HEADER


def send(queue_url: str, body: BaseModel | str, *, delay: int = 0) -> str:
    """Send a message; the receiver's log lines have the same request id as the sender's.

    Args:
        queue_url: The queue's URL, as in `settings.queue_urls`.
        body: A pydantic model, or text.
        delay: Seconds until it can be received, at most 900.

    Returns:
        SQS's id of the message.
    """
    span = current_span()
    attributes: dict[str, Any] = {}
    system: dict[str, Any] = {}
    if span is not None:
        if span.trace_id is not None:
            # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_MessageSystemAttributeValue.html
            system["AWSTraceHeader"] = {"DataType": "String", "StringValue": f"Root={span.trace_id}"}
        attributes[REQUEST_ID_HEADER] = {"DataType": "String", "StringValue": span.request_id}
    answer = aws.client("sqs").send_message(
        QueueUrl=queue_url,
        MessageBody=body if isinstance(body, str) else body.model_dump_json(),
        DelaySeconds=delay,
        MessageAttributes=attributes,
        MessageSystemAttributes=system,
    )
    return str(answer["MessageId"])

"""Messages for a worker's tests."""

import time
from typing import Any
from uuid import uuid4

from pydantic import BaseModel


def sqs_message(body: BaseModel | str, *, receive_count: int = 1, **attributes: str) -> dict[str, Any]:
    """A message as SQS gives it, for `worker.handle_raw`.

    Args:
        body: A pydantic model, or text.
        receive_count: How often it has been received.
        attributes: Its string attributes.
    """
    return {
        "MessageId": str(uuid4()),
        "ReceiptHandle": str(uuid4()),
        "Body": body if isinstance(body, str) else body.model_dump_json(),
        "Attributes": {
            "ApproximateReceiveCount": str(receive_count),
            "SentTimestamp": str(int(time.time() * 1000)),
        },
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    }

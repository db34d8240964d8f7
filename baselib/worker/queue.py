"""The calls that a consumer makes to one SQS queue, in batches of ten, which is what a call may hold.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
"""

import json
import logging
from collections.abc import Sequence
from typing import Any, Final

from baselib.worker.lease import Lease

_logger = logging.getLogger("baselib.worker")

BATCH: Final = 10
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
MAXIMUM_VISIBILITY_SECONDS: Final = 43_200


class Queue:
    """One queue.

    Args:
        client: A boto3 SQS client.
        url: The queue's URL.
    """

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url
        self._dead_letter_url: str | None = None

    def receive(self, *, most: int, wait: int, visibility: int) -> list[dict[str, Any]]:
        """Receive up to `most` messages, waiting up to `wait` seconds for the first one."""
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait,
            VisibilityTimeout=visibility,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp", "AWSTraceHeader"],
        )
        return list(answer.get("Messages", []))

    def delete(self, leases: Sequence[Lease]) -> list[Lease]:
        """Delete up to ten messages.

        Returns:
            Those that SQS did not delete this time, although it may the next.
        """
        answer = self._client.delete_message_batch(
            QueueUrl=self._url,
            Entries=[{"Id": str(place), "ReceiptHandle": lease.receipt} for place, lease in enumerate(leases)],
        )
        return _again(leases, answer)

    def change_visibility(self, leases: Sequence[Lease], seconds: int) -> list[Lease]:
        """Let up to ten messages become visible to others in `seconds`.

        Returns:
            Those that SQS did not change this time, although it may the next.
        """
        answer = self._client.change_message_visibility_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": lease.receipt, "VisibilityTimeout": seconds}
                for place, lease in enumerate(leases)
            ],
        )
        return _again(leases, answer)

    def send_to_dead_letters(self, raw: dict[str, Any]) -> bool:
        """Copy a message to the dead-letter queue; False when the queue has none."""
        url = self._dead_letters()
        if url is None:
            return False
        attributes = {
            name: {key: value[key] for key in ("DataType", "StringValue", "BinaryValue") if key in value}
            for name, value in raw.get("MessageAttributes", {}).items()
        }
        self._client.send_message(QueueUrl=url, MessageBody=raw["Body"], MessageAttributes=attributes)
        return True

    def _dead_letters(self) -> str | None:
        if self._dead_letter_url is None:
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["RedrivePolicy"])
            policy = json.loads(answer.get("Attributes", {}).get("RedrivePolicy", "{}"))
            target = policy.get("deadLetterTargetArn")
            if target is None:
                return None
            account, name = target.split(":")[4:6]
            self._dead_letter_url = self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)[
                "QueueUrl"
            ]
        return self._dead_letter_url


def _again(leases: Sequence[Lease], answer: dict[str, Any]) -> list[Lease]:
    failed = answer.get("Failed", [])
    hopeless = [entry for entry in failed if entry.get("SenderFault")]
    if hopeless:
        # Most often a receipt that has expired: the message is, or will be, with somebody else.
        _logger.warning("lease lost", extra={"messages": len(hopeless), "code": hopeless[0].get("Code")})
    return [leases[int(entry["Id"])] for entry in failed if not entry.get("SenderFault")]

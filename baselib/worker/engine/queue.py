"""The calls that a consumer makes to one SQS queue."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from baselib.worker.engine.lease import Lease

LONGEST_POLL_SECONDS: Final = 20
"""The longest that SQS lets a receive wait, and the cheapest: 180 calls an hour on an empty queue.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""

_SYSTEM_ATTRIBUTES: Final = ("ApproximateReceiveCount", "SentTimestamp", "AWSTraceHeader")


class Refused(NamedTuple):
    """The entries of a batch for which SQS did not do what it was asked.

    Attributes:
        again: Those for which it may the next time.
        lost: Those of which it knows nothing: most often somebody else has received the message.
    """

    again: list[Lease]
    lost: list[Lease]


class Queue:
    """One queue.

    Args:
        client: A boto3 SQS client that tries nothing twice: whoever calls knows better when to try again.
        url: The queue's URL.
        polls: Another one for receives, whose answers may take their time.
    """

    def __init__(self, client: Any, url: str, *, polls: Any = None) -> None:
        self.client = client
        self._polls = polls or client
        self.url = url
        self.fifo = url.endswith(".fifo")
        self._names = [*_SYSTEM_ATTRIBUTES, "MessageGroupId"] if self.fifo else list(_SYSTEM_ATTRIBUTES)
        self._attempt: str | None = None

    def receive(self, *, most: int, wait: int, visibility: int) -> list[dict[str, Any]]:
        """Receive up to `most` messages, waiting up to `wait` seconds for the first one."""
        more: dict[str, Any] = {}
        if self.fifo:
            # With the same id as a receive of which the answer was lost, SQS gives the same messages once more, which
            # would otherwise block their groups until their time-out ends.
            self._attempt = self._attempt or uuid.uuid4().hex
            more["ReceiveRequestAttemptId"] = self._attempt
        answer = self._polls.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait,
            VisibilityTimeout=visibility,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=self._names,
            **more,
        )
        self._attempt = None
        return list(answer.get("Messages", ()))

    def delete(self, leases: Sequence[Lease]) -> Refused:
        """Delete up to ten messages."""
        answer = self.client.delete_message_batch(
            QueueUrl=self.url,
            Entries=[{"Id": str(place), "ReceiptHandle": lease.receipt} for place, lease in enumerate(leases)],
        )
        return _refused(leases, answer)

    def change(self, changes: Iterable[tuple[Lease, int]]) -> Refused:
        """Let up to ten messages become visible to others, each in so many seconds."""
        changes = list(changes)
        answer = self.client.change_message_visibility_batch(
            QueueUrl=self.url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": lease.receipt, "VisibilityTimeout": seconds}
                for place, (lease, seconds) in enumerate(changes)
            ],
        )
        return _refused([lease for lease, _ in changes], answer)


def _refused(leases: Sequence[Lease], answer: dict[str, Any]) -> Refused:
    failed = answer.get("Failed", ())
    return Refused(
        [leases[int(entry["Id"])] for entry in failed if not entry.get("SenderFault")],
        [leases[int(entry["Id"])] for entry in failed if entry.get("SenderFault")],
    )

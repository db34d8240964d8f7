"""A queue as an operator sees it."""

import json
from typing import Any, Final, Self

from baselib.contract import ConfigurationError
from baselib.queues.address import QueueAddress
from baselib.queues.batches import BATCH, Entry, Raw
from baselib.queues.counts import ATTRIBUTES, Counts
from baselib.queues.errors import QueueError, explained

# Long enough that SQS asks all of its servers, and not some of them:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
_WAIT_SECONDS: Final = 1


class OperatedQueue:
    """One queue, with the calls that an operator's command makes.

    Args:
        client: A boto3 SQS client of the queue's region.
        url: The queue's URL.
        attributes: The queue's attributes, all of them.

    Attributes:
        client: The client.
        url: The URL.
        name: The name.
        arn: The ARN.
        fifo: Whether it keeps the order of the messages of a group.
        most_receives: After how many receives a message goes to the queue's dead-letter queue; None without one.
    """

    def __init__(self, client: Any, url: str, attributes: dict[str, str]) -> None:
        self.client = client
        self.url = url
        self.arn = attributes["QueueArn"]
        self.name = self.arn.rpartition(":")[2]
        self.fifo = self.name.endswith(".fifo")
        policy = json.loads(attributes.get("RedrivePolicy") or "{}")
        self._dead_letter_arn: str | None = policy.get("deadLetterTargetArn")
        self.most_receives = int(policy["maxReceiveCount"]) if self._dead_letter_arn else None

    @classmethod
    def find(cls, text: str) -> Self:
        """Find a queue.

        Args:
            text: Its name, URL or ARN.

        Raises:
            UsageError: The text is none of these.
            QueueError: There is no such queue, or AWS cannot be asked.
            ConfigurationError: No region is set.
        """
        address = QueueAddress.parse(text)
        client = _client(address.region)
        with explained(text):
            url = address.url
            if url is None:
                owner = {"QueueOwnerAWSAccountId": address.account} if address.account else {}
                url = str(client.get_queue_url(QueueName=address.name, **owner)["QueueUrl"])
            answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return cls(client, url, answer["Attributes"])

    def counts(self) -> Counts:
        """How many messages it has now.

        Raises:
            QueueError: AWS cannot be asked.
        """
        with explained(self.name):
            answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=list(ATTRIBUTES))
        return Counts.of(answer.get("Attributes", {}))

    def dead_letters(self) -> Self:
        """Its dead-letter queue.

        Raises:
            QueueError: It has none, or AWS cannot be asked.
        """
        if self._dead_letter_arn is None:
            raise QueueError(f"{self.name} has no dead-letter queue (its RedrivePolicy names none)")
        return self.find(self._dead_letter_arn)

    def sources(self) -> list[str]:
        """The URLs of the queues whose dead-letter queue this is.

        Raises:
            QueueError: AWS cannot be asked.
        """
        with explained(self.name):
            pages = self.client.get_paginator("list_dead_letter_source_queues").paginate(QueueUrl=self.url)
            return [url for page in pages for url in page.get("queueUrls", ())]

    def receive(self, most: int, visibility_seconds: int) -> list[Raw]:
        """Receive up to ten messages with all their attributes, which nobody else gets for some seconds."""
        answer = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=min(most, BATCH),
            WaitTimeSeconds=_WAIT_SECONDS,
            VisibilityTimeout=visibility_seconds,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return list(answer.get("Messages", ()))

    def delete(self, entries: list[Entry]) -> Any:
        """Delete up to ten messages by `ReceiptHandle`."""
        return self.client.delete_message_batch(QueueUrl=self.url, Entries=entries)

    def send(self, entries: list[Entry]) -> Any:
        """Send up to ten messages."""
        return self.client.send_message_batch(QueueUrl=self.url, Entries=entries)

    def change_visibility(self, entries: list[Entry]) -> Any:
        """Make up to ten messages visible when their entries say so."""
        return self.client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)


def find_queue(text: str, *, dead_letters: bool = False) -> OperatedQueue:
    """Find a queue.

    Args:
        text: Its name, URL or ARN.
        dead_letters: Whether its dead-letter queue is meant.

    Raises:
        UsageError: The text is none of these.
        QueueError: There is no such queue, or AWS cannot be asked.
        ConfigurationError: No region is set.
    """
    queue = OperatedQueue.find(text)
    return queue.dead_letters() if dead_letters else queue


def _client(region: str | None) -> Any:
    from botocore.exceptions import NoRegionError  # noqa: PLC0415 - the client loads it anyway

    from baselib import aws  # noqa: PLC0415 - the help of a command needs no client

    try:
        with explained():
            return aws.client("sqs", region=region)
    except QueueError as error:
        if isinstance(error.__cause__, NoRegionError):
            raise ConfigurationError(["AWS_REGION is not set: accepted is a region such as eu-west-1"]) from error
        raise
    except ValueError as error:
        raise ConfigurationError([f"AWS_REGION or AWS_ENDPOINT_URL: {error}"]) from error

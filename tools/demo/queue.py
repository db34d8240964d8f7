"""A queue of the embedded AWS, as the demo uses it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from baselib.queues.batches import BATCH
from baselib.queues.counts import ATTRIBUTES, Counts
from baselib.telemetry.identifiers import REQUEST_ID_HEADER
from baselib.testing.embedded_aws import embedded_client


class Queue:
    """A queue.

    Args:
        aws_url: Where the embedded AWS answers.
        url: The queue's URL.
    """

    def __init__(self, aws_url: str, url: str) -> None:
        self.url = url
        self._client: Any = embedded_client(aws_url, "sqs")

    def send(self, body: Mapping[str, str], request_id: str | None = None) -> str:
        """Send a message and return its id.

        Args:
            body: The message.
            request_id: The id of the request in which it is sent.
        """
        attributes = {REQUEST_ID_HEADER: {"DataType": "String", "StringValue": request_id}} if request_id else {}
        answer = self._client.send_message(
            QueueUrl=self.url, MessageBody=json.dumps(body), MessageAttributes=attributes
        )
        return str(answer["MessageId"])

    def send_all(self, bodies: Sequence[Mapping[str, str]]) -> set[str]:
        """Send messages and return their ids."""
        ids: set[str] = set()
        for first in range(0, len(bodies), BATCH):
            texts = [json.dumps(body) for body in bodies[first : first + BATCH]]
            entries = [{"Id": str(number), "MessageBody": text} for number, text in enumerate(texts)]
            answer = self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
            ids.update(str(sent["MessageId"]) for sent in answer["Successful"])
        return ids

    def counts(self) -> Counts:
        """How many messages it has."""
        answer = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=list(ATTRIBUTES))
        return Counts.of(answer["Attributes"])

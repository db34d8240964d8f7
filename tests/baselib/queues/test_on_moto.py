"""The same commands against moto, which does not know SQS's own task."""

from typing import Any

from baselib.testing import EmbeddedAws
from tests.baselib.queues.conftest import Queue


def test_the_three_commands(embedded_aws: EmbeddedAws, queue: Queue, monkeypatch: Any) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_SQS", raising=False)
    embedded_aws.make_queue("queues-orders")
    sqs = embedded_aws.client("sqs")
    dead = sqs.get_queue_url(QueueName="queues-orders_dead_letter")["QueueUrl"]
    for number in range(12):
        sqs.send_message(QueueUrl=dead, MessageBody=f'{{"order": {number}}}')
    assert len(queue("peek", "queues-orders", "--dead-letters", "--json").document["messages"]) == 10
    moved = queue("redrive", "queues-orders_dead_letter", "--yes", "--json")
    assert (moved.code, moved.document["method"], moved.document["moved"]) == (0, "batches", 12)
    assert queue("purge", "queues-orders", "--yes", "--json").document["deleted"] == 12

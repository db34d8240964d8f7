"""Consumers that are a loop in one process.

python -m benchmarks.workers.loops NAME
"""

import os
import sys
from collections.abc import Callable
from typing import Any, Final

from benchmarks.workers.jobs import QUEUE, job

URL: Final = os.environ.get("QUEUE_URL", "")
WAIT_SECONDS: Final = 20


def botocore() -> None:
    """The barest: receive ten, delete ten."""
    from botocore.session import Session  # noqa: PLC0415

    _consume(Session().create_client("sqs", region_name=os.environ["AWS_REGION"]))


def boto3() -> None:
    """The same as one writes it."""
    import boto3  # noqa: PLC0415

    _consume(boto3.client("sqs", region_name=os.environ["AWS_REGION"]))


def _consume(sqs: Any) -> None:
    while True:
        answer = sqs.receive_message(QueueUrl=URL, MaxNumberOfMessages=10, WaitTimeSeconds=WAIT_SECONDS)
        messages = answer.get("Messages", [])
        for _ in messages:
            job()
        if messages:
            entries = [{"Id": each["MessageId"], "ReceiptHandle": each["ReceiptHandle"]} for each in messages]
            sqs.delete_message_batch(QueueUrl=URL, Entries=entries)


def sqs_workers() -> None:
    """A raw queue of sqs-workers, which is its cheapest."""
    from sqs_workers import RawQueue, SQSEnv  # noqa: PLC0415

    queue = SQSEnv().queue(QUEUE, RawQueue, queue_url=URL)
    queue.connect_raw_processor(job)
    queue.process_queue(wait_second=WAIT_SECONDS)


def aws_sqs_consumer() -> None:
    """Batches of ten; its default is one."""
    from aws_sqs_consumer import Consumer  # noqa: PLC0415

    class Batches(Consumer):  # type: ignore[misc]
        def handle_message_batch(self, messages: list[object]) -> None:
            for _ in messages:
                job()

    region = os.environ["AWS_REGION"]
    Batches(queue_url=URL, region=region, batch_size=10, wait_time_seconds=WAIT_SECONDS).start()


def py_sqs_listener() -> None:
    """Receives of ten that wait; its default is one that does not, and a minute's sleep when there was none."""
    from sqs_listener import SqsListener  # noqa: PLC0415

    class Listener(SqsListener):  # type: ignore[misc]
        def handle_message(self, *_: object) -> None:
            job()

    region = os.environ["AWS_REGION"]
    options = {"interval": 0, "wait_time": WAIT_SECONDS, "max_number_of_messages": 10, "region_name": region}
    Listener(QUEUE, queue_url=URL, **options).listen()


LOOPS: Final[dict[str, Callable[[], None]]] = {
    loop.__name__: loop for loop in (botocore, boto3, sqs_workers, aws_sqs_consumer, py_sqs_listener)
}

if __name__ == "__main__":
    LOOPS[sys.argv[1]]()

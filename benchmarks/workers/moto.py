"""baselib's worker on moto's server: whether its calls have the shape that moto takes; moto is too slow to be timed on.

python -m benchmarks.workers.moto
"""

import logging
import time
from typing import Any, Final

from baselib.testing import EmbeddedAws
from benchmarks.workers.jobs import QUEUE, plain_body
from benchmarks.workers.program import launched

MESSAGES: Final = 200
_PATIENCE_SECONDS: Final = 60.0


def main() -> None:
    """Check and print."""
    print(deleted())


def deleted() -> int:
    """How many of `MESSAGES` it has received and deleted."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with EmbeddedAws() as aws:
        url = aws.make_queue(QUEUE)
        sqs = aws.client("sqs")
        for _ in range(MESSAGES // 10):
            entries = [{"Id": str(place), "MessageBody": plain_body()} for place in range(10)]
            sqs.send_message_batch(QueueUrl=url, Entries=entries)
        with launched("baselib", url, aws.url) as program:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while (left := _left(sqs, url)) and time.monotonic() < deadline and program.process.poll() is None:
                time.sleep(0.2)
    return MESSAGES - left


def _left(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


if __name__ == "__main__":
    main()

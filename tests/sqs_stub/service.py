"""All that the stub knows: its queues, faults, ledger and statistics."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from tests.sqs_stub.clock import Clock
from tests.sqs_stub.errors import SqsError, invalid, missing, no_such_queue
from tests.sqs_stub.faults import Faults
from tests.sqs_stub.fifo import FifoQueue
from tests.sqs_stub.ledger import Ledger
from tests.sqs_stub.queue_attributes import QueueAttributes, check_for_kind
from tests.sqs_stub.queues import Queue

ACCOUNT: Final = "000000000000"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
_DELETED_RECENTLY_SECONDS: Final = 60.0
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
_IN_FLIGHT_LIMIT: Final = 120_000


class Service:
    """One SQS.

    Args:
        url: The address at which it is served.
        region: The region that ARNs name.
        with_ledger: Whether events are kept.
        in_flight_limit: How many messages of one queue may be in flight.
    """

    def __init__(
        self, url: str, *, region: str = "eu-west-1", with_ledger: bool = True, in_flight_limit: int = _IN_FLIGHT_LIMIT
    ) -> None:
        self.url, self.region, self.in_flight_limit = url, region, in_flight_limit
        self.clock = Clock()
        self.ledger = Ledger() if with_ledger else None
        self.faults = Faults()
        self.queues: dict[str, Queue] = {}
        self.calls: Counter[str] = Counter()
        self.move_tasks: dict[str, Any] = {}
        self._by_url: dict[str, Queue] = {}
        self._deleted: dict[str, float] = {}

    def queue(self, parameters: Mapping[str, Any]) -> Queue:
        """The queue that a request names by its URL.

        Raises:
            SqsError: It names none, or one that is not there.
        """
        url = parameters.get("QueueUrl")
        if not url:
            raise missing("QueueUrl")
        found = self._by_url.get(url)
        if found is None:
            # The same queue may be reached by another host name.
            found = self.queues.get(urlsplit(str(url)).path.rpartition("/")[2])
            if found is None:
                raise no_such_queue()
            self._by_url[url] = found
        return found

    def by_arn(self, arn: str) -> Queue | None:
        """The queue with an ARN."""
        found = self.queues.get(arn.rpartition(":")[2])
        return found if found and found.arn == arn else None

    def create(self, name: str, values: Mapping[str, str]) -> Queue:
        """Make a queue, or give the one that is there with the same attributes.

        Raises:
            SqsError: It is there with others, was deleted a moment ago, or SQS does not take the name or an attribute.
        """
        fifo = values.get("FifoQueue") == "true"
        if not _NAME.fullmatch(name) or name.endswith(".fifo") != fifo:
            raise invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
        check_for_kind(values, fifo=fifo)
        attributes = QueueAttributes(values)
        there = self.queues.get(name)
        if there:
            listed = there.attributes.listed(fifo)
            if any(listed.get(key) != str(value) for key, value in values.items()):
                raise SqsError("QueueNameExists", "A queue already exists with the same name and a different value.")
            return there
        now = self.clock.now()
        if now - self._deleted.get(name, float("-inf")) < _DELETED_RECENTLY_SECONDS:
            raise SqsError(
                "QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            )
        made = (FifoQueue if fifo else Queue)(
            name,
            f"{self.url}/{ACCOUNT}/{name}",
            f"arn:aws:sqs:{self.region}:{ACCOUNT}:{name}",
            attributes,
            self.clock,
            self.ledger,
            self.by_arn,
        )
        made.in_flight_limit = self.in_flight_limit
        self.queues[name] = made
        return made

    def delete(self, queue: Queue) -> None:
        """Delete a queue with all that is in it."""
        queue.purge()
        queue.long_polls.end()
        self._deleted[queue.name] = self.clock.now()
        del self.queues[queue.name]
        self._by_url = {url: each for url, each in self._by_url.items() if each is not queue}

    def advance(self, seconds: float) -> None:
        """Let seconds pass at once for all queues."""
        self.clock.advance(seconds)
        for queue in list(self.queues.values()):
            queue.sweep()

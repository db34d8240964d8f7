"""A standard queue: what is visible, in flight and delayed, and who waits for it.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Final

from tests.sqs_stub import ledger as events
from tests.sqs_stub.clock import Clock
from tests.sqs_stub.errors import SqsError, invalid
from tests.sqs_stub.hidden import Hidden
from tests.sqs_stub.ledger import Ledger
from tests.sqs_stub.long_polls import LongPolls
from tests.sqs_stub.message import Message, State
from tests.sqs_stub.queue_attributes import QueueAttributes
from tests.sqs_stub.waiting import Waiter

# Twelve hours in all since the receive; extending does not begin them anew (see above).
_MAXIMUM_INVISIBLE_SECONDS: Final = 43_200.0


class Queue:
    """A standard queue.

    Args:
        name: Its name.
        url: Its URL.
        arn: Its ARN.
        attributes: What it was made with.
        clock: The stub's clock.
        ledger: Where events go; None to keep none.
        by_arn: Finds the dead-letter queue.
    """

    fifo = False

    def __init__(
        self,
        name: str,
        url: str,
        arn: str,
        attributes: QueueAttributes,
        clock: Clock,
        ledger: Ledger | None,
        by_arn: Callable[[str], "Queue | None"],
    ) -> None:
        self.name, self.url, self.arn, self.attributes = name, url, arn, attributes
        self.tags: dict[str, str] = {}
        self.created = self.modified = clock.now()
        self.purged = float("-inf")
        self.counts = [0, 0, 0, 0]
        self.calls: Counter[str] = Counter()
        self.entries: Counter[str] = Counter()
        self.empty_receives = 0
        self.in_flight_limit = 120_000
        self.long_polls = LongPolls(clock, self.wake)
        self.ledger = ledger
        self._clock, self._by_arn = clock, by_arn
        self._messages: dict[int, Message] = {}
        self._by_receipt: dict[str, Message] = {}
        self._ready: deque[Message] = deque()
        self._hidden = Hidden()
        self._last_number = 0
        # Receipts of another queue, or of a queue of the same name before this one, are not taken.
        self._token = f"AQEB{secrets.token_urlsafe(12).replace('.', 'x')}."

    # -- sending

    def put(self, message: Message, delay: float) -> None:
        """Take a message in; whoever waits is woken by `wake`, once for a whole batch."""
        now = self._clock.now()
        message.sent = now
        message.expires = now + self.attributes.retention
        self._enter(message, now, delay)
        if self.ledger is not None:
            self.ledger.events.append((now, events.SENT, self.name, message.id, message.body))

    def adopt(self, message: Message, source: "Queue") -> None:
        """Take in a message that was received too often elsewhere; it keeps its id and when it was sent."""
        now = self._clock.now()
        message.source = source.arn
        message.received_here = 0
        # The retention of a standard queue counts from the first sending, that of a FIFO queue from the move:
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        message.expires = (now if self.fifo else message.sent) + self.attributes.retention
        self._enter(message, now, 0.0)
        # Not at once: the receive from the source is not at its end.
        asyncio.get_running_loop().call_soon(self.wake)

    def _enter(self, message: Message, now: float, delay: float) -> None:
        self._last_number += 1
        message.number = self._last_number
        self._messages[message.number] = message
        if delay > 0:
            message.state = State.DELAYED
            self.counts[State.DELAYED] += 1
            self._hidden.push(message, now + delay)
        else:
            message.state = State.VISIBLE
            self.counts[State.VISIBLE] += 1
            self._make_ready(message)

    # -- receiving

    def take(self, limit: int, visibility: float) -> list[Message]:
        """Receive up to so many visible messages, which are then invisible for so many seconds."""
        now = self._clock.now()
        self.release(now)
        counts, ledger = self.counts, self.ledger
        most = self.attributes.maximum_receives
        limit = min(limit, self.in_flight_limit - counts[State.IN_FLIGHT])
        taken: list[Message] = []
        while len(taken) < limit:
            message = self._next_ready()
            if message is None:
                break
            if message.expires <= now:
                self._remove(message, events.EXPIRED)
                continue
            if most and message.received_here >= most and self._dead_letter(message):
                continue
            counts[State.VISIBLE] -= 1
            counts[State.IN_FLIGHT] += 1
            message.state = State.IN_FLIGHT
            message.received_here += 1
            message.receive_count += 1
            message.received = now
            if message.receipt:
                self._by_receipt.pop(message.receipt, None)
            else:
                message.first_received = now
            message.receipt = receipt = f"{self._token}{message.number:x}.{message.receive_count:x}"
            self._by_receipt[receipt] = message
            self._hidden.push(message, now + visibility)
            taken.append(message)
            if ledger is not None:
                ledger.events.append((now, events.RECEIVED, self.name, message.id, receipt))
        self._taken(taken)
        return taken

    def release(self, now: float) -> None:
        """Make visible what has become due."""
        if self._hidden.next_due <= now:
            for due, message in self._hidden.due(now):
                self._show(message, due)

    def wake(self) -> None:
        """Give what is visible to those who wait, in the order in which they came."""
        self.release(self._clock.now())
        if not self.long_polls:
            return
        if self.counts[State.VISIBLE]:
            for waiter in self.long_polls.listening():
                messages = self.take(waiter.limit, waiter.visibility)
                if not messages:
                    self.long_polls.put_back(waiter)
                    break
                self.entries["ReceiveMessage"] += len(messages)
                waiter.deliver(messages)
        self.long_polls.look_at(self._hidden.next_due)

    def wait(self, waiter: Waiter) -> None:
        """Let a long poll wait here."""
        self.long_polls.add(waiter)
        self.long_polls.look_at(self._hidden.next_due)

    # -- after a receive

    def delete(self, receipt: str) -> None:
        """Delete by receipt handle.

        "If you use an old ReceiptHandle, the request will succeed, but the message might not be deleted":
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html

        Raises:
            SqsError: The handle is none of this queue's.
        """
        message = self._by_receipt.get(receipt)
        if message is None:
            old = self._received_with(receipt)
            if old is not None and self.ledger is not None:
                self.ledger.events.append((self._clock.now(), events.DELETE_IGNORED, self.name, old.id, receipt))
            return
        self._remove(message, events.DELETED)

    def change_visibility(self, receipt: str, seconds: float) -> None:
        """Let a message in flight be invisible for so many seconds from now; `wake` follows, once for a whole batch.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html

        Raises:
            SqsError: The message is not in flight, or would be invisible for more than 12 hours since its receive.
        """
        now = self._clock.now()
        self.release(now)
        message = self._by_receipt.get(receipt)
        if message is None:
            self._received_with(receipt)
            raise invalid(
                f"Value {receipt} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
                "available for visibility timeout change."
            )
        if message.state != State.IN_FLIGHT:
            self._not_in_flight(receipt)
        if now + seconds > message.received + _MAXIMUM_INVISIBLE_SECONDS:
            raise invalid(
                f"Value {seconds:g} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for "
                "the message is beyond the limit [43200 seconds]."
            )
        if self.ledger is not None:
            self.ledger.events.append((now, events.CHANGED, self.name, message.id, seconds))
        if seconds > 0:
            self._hidden.push(message, now + seconds)
        else:
            self._show(message, now)

    def _not_in_flight(self, receipt: str) -> None:
        raise SqsError("MessageNotInflight", f"The message referred to by {receipt} isn't in flight.")

    def _received_with(self, receipt: str) -> Message | None:
        """The message that had this receipt handle once, if it is still here.

        Raises:
            SqsError: The handle is none of this queue's.
        """
        number, dot, count = receipt.removeprefix(self._token).partition(".")
        if not receipt.startswith(self._token) or not dot or not (number + count).isalnum():
            raise SqsError(
                "ReceiptHandleIsInvalid", f'The input receipt handle "{receipt}" is not a valid receipt handle.'
            )
        return self._messages.get(int(number, 16))

    # -- the whole queue

    def purge(self) -> None:
        """Delete everything."""
        for message in list(self._messages.values()):
            self._remove(message, events.PURGED)

    def sweep(self) -> None:
        """Delete what is too old, and look at the clock again."""
        now = self._clock.now()
        for message in [each for each in self._messages.values() if each.expires <= now]:
            self._remove(message, events.EXPIRED)
        self.long_polls.check()
        self.wake()

    def leave(self, message: Message) -> None:
        """Let a message go to another queue."""
        self._remove(message, "")

    def visible(self) -> list[Message]:
        """What could be received now, in the order of sending."""
        self.release(self._clock.now())
        return [message for message in self._messages.values() if message.state == State.VISIBLE]

    def _dead_letter(self, message: Message) -> bool:
        target = self._by_arn(self.attributes.dead_letter_arn)
        if target is None:
            return False
        if self.ledger is not None:
            now = self._clock.now()
            self.ledger.events.append((now, events.DEAD_LETTERED, self.name, message.id, target.name))
        self._remove(message, "")
        target.adopt(message, self)
        return True

    def _show(self, message: Message, when: float) -> None:
        was = message.state
        self.counts[was] -= 1
        self.counts[State.VISIBLE] += 1
        message.state = State.VISIBLE
        if was == State.IN_FLIGHT:
            self._landed(message)
        if self.ledger is not None:
            self.ledger.events.append((when, events.VISIBLE, self.name, message.id, message.receipt))
        self._make_ready(message)

    def _remove(self, message: Message, what: str) -> None:
        was = message.state
        self.counts[was] -= 1
        message.state = State.GONE
        self._messages.pop(message.number, None)
        self._by_receipt.pop(message.receipt, None)
        if was == State.IN_FLIGHT:
            self._landed(message)
        if what and self.ledger is not None:
            self.ledger.events.append((self._clock.now(), what, self.name, message.id, message.receipt))

    # -- what a FIFO queue does in another way

    def _make_ready(self, message: Message) -> None:
        self._ready.append(message)

    def _next_ready(self) -> Message | None:
        ready = self._ready
        while ready:
            message = ready.popleft()
            if message.state == State.VISIBLE:
                return message
        return None

    def _taken(self, messages: list[Message]) -> None:
        """A receive has all that it gets."""

    def _landed(self, message: Message) -> None:
        """A message is in flight no more."""


def statistics(queue: Queue) -> Mapping[str, object]:
    """What was asked of a queue."""
    return {"calls": queue.calls, "entries": queue.entries, "empty_receives": queue.empty_receives}

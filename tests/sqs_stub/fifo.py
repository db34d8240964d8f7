"""A FIFO queue: order within each message group, and no message twice within five minutes.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
"""

import hashlib
from collections import OrderedDict, deque
from typing import Any, Final, NoReturn

from tests.sqs_stub.errors import invalid
from tests.sqs_stub.message import Message, State
from tests.sqs_stub.queues import Queue

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
_DEDUPLICATION_SECONDS: Final = 300.0
_FIRST_SEQUENCE_NUMBER: Final = 18_800_000_000_000_000_000
_SEQUENCE_STEP: Final = 256


class _Group:
    """A message group: its visible messages in order, and how many are in flight."""

    __slots__ = ("flying", "name", "waiting")

    def __init__(self, name: str) -> None:
        self.name = name
        self.waiting: deque[Message] = deque()
        self.flying = 0


class _Remembered:
    """Keys that are forgotten after the deduplication interval."""

    def __init__(self) -> None:
        self._found: dict[Any, tuple[float, Any]] = {}

    def get(self, key: object, now: float) -> Any:
        found = self._found.get(key)
        return found[1] if found and found[0] > now else None

    def put(self, key: object, value: object, now: float) -> None:
        self._found.pop(key, None)
        self._found[key] = (now + _DEDUPLICATION_SECONDS, value)
        for old in list(self._found)[:2]:
            if self._found[old][0] <= now:
                del self._found[old]


class FifoQueue(Queue):
    """A FIFO queue."""

    fifo = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._groups: dict[str, _Group] = {}
        # Groups with something visible and nothing in flight, in the order in which they became so.
        self._free: OrderedDict[str, _Group] = OrderedDict()
        self._open: list[_Group] = []
        self._sent = _Remembered()
        self._attempts = _Remembered()

    def put(self, message: Message, delay: float) -> None:
        super().put(message, delay)
        self._sent.put(self._key(message), message, message.sent)

    def duplicate_of(self, message: Message) -> Message | None:
        """The message that was sent with the same deduplication id within five minutes, deleted or not."""
        found: Message | None = self._sent.get(self._key(message), self._clock.now())
        return found

    def _key(self, message: Message) -> object:
        return (message.group, message.deduplication) if self.attributes.by_group else message.deduplication

    def take_again(self, attempt: str, limit: int, visibility: float) -> list[Message]:
        """Receive, or receive the same again with the same ReceiveRequestAttemptId.

        "It is possible to retry the ReceiveMessage action with the same ReceiveRequestAttemptId if none of the messages
        have been modified (deleted or had their visibility changes)", and "it resets the visibility timeout":
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
        """
        now = self._clock.now()
        self.release(now)
        before = self._attempts.get(attempt, now)
        if before and all(
            message.state == State.IN_FLIGHT and message.receipt == receipt and message.due == due
            for message, receipt, due in before
        ):
            for message, *_ in before:
                self._hidden.push(message, now + visibility)
            messages = [message for message, *_ in before]
        else:
            messages = self.take(limit, visibility)
        self.remember(attempt, messages)
        return messages

    def remember(self, attempt: str, messages: list[Message]) -> None:
        """Keep what a receive with a ReceiveRequestAttemptId got."""
        if messages:
            held = [(message, message.receipt, message.due) for message in messages]
            self._attempts.put(attempt, held, self._clock.now())

    def delete(self, receipt: str) -> None:
        message = self._by_receipt.get(receipt)
        self.release(self._clock.now())
        if message is not None and message.state != State.IN_FLIGHT:
            self._not_in_flight(receipt)
        super().delete(receipt)

    def _not_in_flight(self, receipt: str) -> NoReturn:
        raise invalid(
            f"Value {receipt} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
        )

    def _make_ready(self, message: Message) -> None:
        group = self._groups.get(message.group)
        if group is None:
            group = self._groups[message.group] = _Group(message.group)
        waiting = group.waiting
        if not waiting or waiting[-1].number < message.number:
            waiting.append(message)
        elif message.number < waiting[0].number:
            waiting.appendleft(message)
        else:
            group.waiting = deque(sorted([*waiting, message], key=lambda each: each.number))
        if not group.flying:
            self._free.setdefault(message.group, group)

    def _next_ready(self) -> Message | None:
        # "Amazon SQS first attempts to return as many messages with the same message group ID as possible" (see above).
        while True:
            while self._open and self._open[-1].waiting:
                group = self._open[-1]
                message = group.waiting.popleft()
                if message.state == State.VISIBLE:
                    return message
            if not self._free:
                return None
            self._open.append(self._free.popitem(last=False)[1])

    def _taken(self, messages: list[Message]) -> None:
        for message in messages:
            self._groups[message.group].flying += 1
        opened, self._open = self._open, []
        for group in opened:
            self._settle(group)

    def _landed(self, message: Message) -> None:
        group = self._groups[message.group]
        group.flying -= 1
        self._settle(group)

    def _settle(self, group: _Group) -> None:
        if group.flying:
            return
        if group.waiting:
            self._free.setdefault(group.name, group)
        elif group not in self._open:
            self._free.pop(group.name, None)
            self._groups.pop(group.name, None)


def sequence_number(message: Message) -> str:
    """What SQS gives each message of a FIFO queue: larger for each later one."""
    return str(_FIRST_SEQUENCE_NUMBER + message.number * _SEQUENCE_STEP)


def content_digest(body: str) -> str:
    """The deduplication id of a message that is told by its content."""
    return hashlib.sha256(body.encode()).hexdigest()

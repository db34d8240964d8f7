"""What holds after any sequence of calls: the same seed is the same sequence."""

import asyncio
import random
from collections import Counter

import pytest

from tests.sqs_stub.errors import SqsError
from tests.sqs_stub.message import Message, State
from tests.sqs_stub.service import Service

_STEPS = 4_000
# Steps take time of their own.
_TOLERANCE_SECONDS = 0.1


class _Life:
    """A queue, and clients that do with it what chance tells them."""

    def __init__(self, seed: int, fifo: bool) -> None:
        self.fifo = fifo
        self.chance = random.Random(seed)
        self.service = Service("http://stub")
        self.queue = self.service.create("q.fifo" if fifo else "q", {"FifoQueue": "true"} if fifo else {})
        self.held: dict[str, tuple[Message, float]] = {}
        self.sent = self.deleted = 0

    def send(self) -> None:
        self.sent += 1
        message = Message(str(self.sent), "x", group=f"g{self.chance.randrange(5)}", deduplication=str(self.sent))
        self.queue.put(message, self.chance.choice([0, 0, 0, 3]))

    def receive(self) -> None:
        now = self.service.clock.now()
        for message in self.queue.take(self.chance.randint(1, 10), 20):
            others = [each for each, until in self.held.values() if until > now + _TOLERANCE_SECONDS]
            assert message not in others
            # Only those that came with it in this receive may be of the same group.
            assert not self.fifo or all(
                each.group != message.group or each.received == message.received for each in others
            )
            self.held[message.receipt] = (message, now + 20)

    def delete(self) -> None:
        receipt = self.chance.choice(list(self.held))
        message, until = self.held.pop(receipt)
        newest = message.receipt == receipt
        try:
            self.queue.delete(receipt)
            self.deleted += newest
        except SqsError:
            assert self.fifo
            assert until <= self.service.clock.now() + _TOLERANCE_SECONDS

    def change(self) -> None:
        receipt = self.chance.choice(list(self.held))
        message, until = self.held[receipt]
        seconds = self.chance.choice([0, 5, 40])
        try:
            self.queue.change_visibility(receipt, seconds)
            self.held[receipt] = (message, self.service.clock.now() + seconds)
        except SqsError:
            assert until <= self.service.clock.now() + _TOLERANCE_SECONDS
            del self.held[receipt]

    def let_time_pass(self) -> None:
        self.service.advance(self.chance.choice([0.5, 3, 11]))

    def check(self) -> None:
        self.queue.release(self.service.clock.now())
        states = Counter(message.state for message in self.queue._messages.values())
        for state in (State.VISIBLE, State.IN_FLIGHT, State.DELAYED):
            assert self.queue.counts[state] == states[state]
        assert sum(states.values()) == self.sent - self.deleted

    def empty(self) -> list[Message]:
        self.service.advance(100)
        left: list[Message] = []
        while taken := self.queue.take(10, 1_000):
            left += taken
            for message in taken:
                self.queue.delete(message.receipt)
        return left


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fifo", [False, True])
def test_counts_possession_and_order(seed: int, fifo: bool) -> None:
    async def live() -> None:
        life = _Life(seed, fifo)
        steps = [life.send, life.receive, life.delete, life.change, life.let_time_pass]
        for step in life.chance.choices(steps, [30, 30, 15, 15, 10], k=_STEPS):
            if life.held or step not in (life.delete, life.change):
                step()
            life.check()
        left = life.empty()
        assert len(left) == life.sent - life.deleted
        groups = {message.group for message in left} if fifo else set()
        for group in groups:
            numbers = [message.number for message in left if message.group == group]
            assert numbers == sorted(numbers)

    asyncio.run(live())

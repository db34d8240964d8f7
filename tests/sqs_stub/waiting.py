"""A receive that waits for a message.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""

import asyncio
from collections.abc import Callable

from tests.sqs_stub.clock import Clock
from tests.sqs_stub.message import Message


class Waiter:
    """One long poll.

    Args:
        limit: How many messages it takes at most.
        visibility: For how many seconds they are invisible.
        seconds: How long it waits.
        render: Makes the answer's body of the messages that it got.
    """

    def __init__(self, limit: int, visibility: float, seconds: float, render: Callable[[list[Message]], bytes]) -> None:
        self.limit, self.visibility, self.seconds = limit, visibility, seconds
        self.finished = False
        self._render = render
        self._answer: Callable[[bytes], None] | None = None
        self._listening: Callable[[], bool] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._clock: Clock | None = None

    def begin(self, clock: Clock, answer: Callable[[bytes], None], listening: Callable[[], bool]) -> None:
        """Wait from now on, for a client that may go away."""
        self._clock, self._answer, self._listening = clock, answer, listening
        self._deadline = clock.now() + self.seconds
        self.check()

    @property
    def listening(self) -> bool:
        """Whether the client is still there."""
        return self._listening is None or self._listening()

    def check(self) -> None:
        """End with nothing when the time is over, or set the timer for when it will be."""
        if self.finished or self._clock is None:
            return
        if self._timer:
            self._timer.cancel()
        if self._deadline <= self._clock.now():
            self.deliver([])
        else:
            when = self._deadline - self._clock.base
            self._timer = asyncio.get_running_loop().call_at(when, self.check)

    def deliver(self, messages: list[Message]) -> None:
        """Answer with messages, or with none."""
        answer = self._answer
        self.cancel()
        if answer:
            answer(self._render(messages))

    def cancel(self) -> None:
        """Take nothing any more."""
        self.finished = True
        self._answer = None
        if self._timer:
            self._timer.cancel()

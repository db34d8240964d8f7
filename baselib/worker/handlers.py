"""The handlers of a worker: which function has the messages of which queue, and under which conditions."""

import inspect
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from baselib.worker.envelopes import Envelope

if TYPE_CHECKING:
    from pydantic import BaseModel

    from baselib.worker.idempotency import Idempotency

MAIN: Final = "main"
"""What the worker's own queue is called in logs and metrics."""

Function = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Handler:
    """A function and the messages that it is given; see `Worker.handle`."""

    function: Function
    queue: str
    body: "type[BaseModel] | None" = None
    weight: float = 1.0
    batch: int | None = None
    limit: float | None = None
    envelopes: Sequence[Envelope] = ()
    idempotency: "Idempotency | None" = None

    def __post_init__(self) -> None:
        require_plain_function(self.function)
        if self.body is not None and not callable(getattr(self.body, "model_validate_json", None)):
            raise ValueError(f"body of {self.queue} is {self.body!r}: accepted is a pydantic model")
        if not all(isinstance(envelope, Envelope) for envelope in self.envelopes):
            raise ValueError(
                f"envelopes of {self.queue} are {list(self.envelopes)!r}: accepted are SNS and EVENTBRIDGE"
            )
        if not 0 < self.weight < math.inf:
            raise ValueError(f"weight of {self.queue} is {self.weight!r}: accepted is a number above 0")
        if self.batch is not None and not 1 <= self.batch <= _LARGEST_BATCH:
            raise ValueError(f"batch of {self.queue} is {self.batch!r}: accepted is 1 to {_LARGEST_BATCH}")
        if self.limit is not None and not 0 < self.limit < math.inf:
            raise ValueError(f"limit of {self.queue} is {self.limit!r}: accepted is a number of seconds above 0")


# What a call of the handler takes is held in memory, and extended, at once for every thread.
_LARGEST_BATCH: Final = 1_000


class Handlers:
    """The handler of each queue of a worker.

    Args:
        queues: The names of the declared queues; None is the worker's own.
    """

    def __init__(self, queues: Collection[str | None]) -> None:
        self._queues = queues
        self._handlers: dict[str | None, Handler] = {}

    def add(self, queue: str | None, handler: Handler) -> None:
        """Give the messages of a queue to a handler.

        Raises:
            ValueError: The queue was not declared, or has a handler already.
        """
        if queue not in self._queues:
            raise ValueError(f"queue {queue!r} is not declared: Worker(queues=[...])")
        if queue in self._handlers:
            raise ValueError(f"queue {queue or MAIN!r} has a handler already")
        self._handlers[queue] = handler

    def all(self) -> Mapping[str | None, Handler]:
        """Every queue's handler.

        Raises:
            ValueError: A declared queue has none.
        """
        missing = [queue or MAIN for queue in self._queues if queue not in self._handlers]
        if missing:
            raise ValueError(f"no handler for {', '.join(missing)}: worker.handle(function, queue=...)")
        return self._handlers


def require_plain_function(function: object) -> None:
    """See that something can be called, and does its work when it is.

    Raises:
        TypeError: It cannot be called, or it is a coroutine function, of which a call only makes a coroutine.
    """
    if not callable(function):
        raise TypeError(f"{function!r} cannot be called: accepted is a function")
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"{function!r} is a coroutine function: accepted is a plain one, which may call asyncio.run")

"""A worker daemon: its handlers, its queues and its loops. How it lives is in `baselib.worker.daemon`."""

import math
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from baselib.contract import DataStore, Needs
from baselib.lifecycle import LIFE, Life
from baselib.service import Service
from baselib.worker.daemon import Daemon
from baselib.worker.engine.lease import LONGEST_HOLD_SECONDS, Lease
from baselib.worker.engine.outcome import Outcome
from baselib.worker.envelopes import Envelope
from baselib.worker.handlers import MAIN, Handler, Handlers, require_plain_function
from baselib.worker.handling import Handling
from baselib.worker.loops import Loop
from baselib.worker.payloads import configure_payloads

if TYPE_CHECKING:
    from pydantic import BaseModel

    from baselib.worker.idempotency import Idempotency

_TURN_SECONDS = 300.0


class Worker:
    """A worker daemon.

    Args:
        register: Adds the service's handlers, and may add loops, health checks and start-up functions.
        queue: Whether it has a queue of its own, that of `QUEUE_URL`.
        queues: The names of further queues that it consumes; `QUEUE_{NAME}_URL` says where each is.
        data_stores: The data stores that the service uses; their URLs become required.
        hard_dependencies: Other services that it cannot work without; their URLs become required.
        soft_dependencies: Other services that it can do without for a while.
        threads: How many calls of handlers run at a time, for all queues together.
        processes: In how many processes handlers run instead of in threads, for work that keeps the interpreter busy;
            each imports the service anew and needs its memory. 0 for none.
        visibility: Seconds for which a received message is invisible to others; extended while it is held.
        environ: The environment variables; `os.environ` when None.
        life: The phase of the process; a test may bring its own.

    Raises:
        ConfigurationError: A variable is wrong or missing; ends the process with exit code 78.
        ValueError: A number is out of its bounds, or there is nothing to do.
    """

    def __init__(
        self,
        register: "Callable[[Worker], None]",
        *,
        queue: bool = True,
        queues: Sequence[str] = (),
        data_stores: Sequence[DataStore] = (),
        hard_dependencies: Sequence[str] = (),
        soft_dependencies: Sequence[str] = (),
        threads: int = 4,
        processes: int = 0,
        visibility: int = 120,
        environ: Mapping[str, str] | None = None,
        life: Life = LIFE,
    ) -> None:
        if isinstance(queues, str):
            raise ValueError(f"queues is {queues!r}: accepted is a list of names")  # noqa: TRY004 - as for every argument
        _require("threads", threads, 1, 256)
        _require("processes", processes, 0, 256)
        _require("visibility", visibility, 1, int(LONGEST_HOLD_SECONDS))
        needs = Needs(
            kind="worker-daemon",
            queue=queue,
            queues=tuple(queues),
            data_stores=tuple(data_stores),
            hard_dependencies=tuple(hard_dependencies),
            soft_dependencies=tuple(soft_dependencies),
        )
        self.service = Service(needs, environ, threads=threads)
        configure_payloads(self.service.settings)
        self.threads = processes or threads
        self.processes = processes
        self.visibility = visibility
        self.loops: list[Loop] = []
        self._life = life
        self._handlers = Handlers(self.service.settings.queue_urls)
        self._handlings: dict[str | None, Handling] = {}
        register(self)

    def handle(
        self,
        function: Callable[[Any], object],
        *,
        body: "type[BaseModel] | None" = None,
        queue: str | None = None,
        weight: float = 1.0,
        batch: int | None = None,
        limit: float | None = None,
        envelopes: Sequence[Envelope] = (),
        idempotency: "Idempotency | None" = None,
    ) -> None:
        """Give the messages of a queue to a function.

        The function is given a `Message` and returns when its work is done; the message is then deleted. It raises
        `Reject` for what can never be handled, `Retry` or anything else for what shall come again. With `batch` it is
        given a list of messages, of which a FIFO queue's are in order, and returns None when all are done, or a mapping
        from the ids of those that are not to an exception that says why.

        Args:
            function: Handles one message, or a list of them.
            body: The pydantic model of the body; what does not fit is rejected. Text when None.
            queue: The name of a further queue; the worker's own when None.
            weight: How many of its messages are begun for one of a queue of weight 1, while both have some.
            batch: How many messages the function is given at most; None for one by one.
            limit: Seconds that a call may take: calls of AWS and of other services that it makes end before. A thread
                that takes longer is reported, and a process is ended. None for no limit but SQS's 12 hours.
            envelopes: What is around the messages, from the outside: `[SNS]`, `[EVENTBRIDGE]`, or both.
            idempotency: How messages are recognised that were handled before.

        Raises:
            TypeError: It is no plain function.
            ValueError: The queue was not declared, or has a handler already, or a number is out of its bounds.
            ConfigurationError: The settings do not say where records of idempotency are kept.
        """
        name = queue or MAIN
        if idempotency is not None:
            if self.processes and limit is None:
                raise ValueError(
                    f"queue {name!r}: with processes, idempotency needs a limit, for which records are held"
                )
            idempotency.configure(self.service.settings)
        handler = Handler(function, name, body, weight, batch, limit, tuple(envelopes), idempotency)
        self._handlers.add(queue, handler)
        # In another process nobody extends it.
        hold_seconds = limit if self.processes and limit is not None else self.visibility
        self._handlings[queue] = Handling(
            handler, bucket=self.service.settings.payload_bucket, hold_seconds=hold_seconds
        )

    def loop(
        self, function: Callable[[], object], *, every: float, limit: float = _TURN_SECONDS, name: str | None = None
    ) -> None:
        """Call a function again and again, in a thread of its own, until the worker stops.

        A call that raises is logged, told to Sentry, and followed by the next one after a pause that grows.

        Args:
            function: What is done.
            every: Seconds from the beginning of a call to that of the next; 0 for at once.
            limit: Seconds after which a call counts as stuck: the worker is not alive then, and is replaced.
            name: What it is called in logs and metrics; the function's name when None.

        Raises:
            TypeError: It is no plain function.
            ValueError: A number is negative, or there is a loop of that name.
        """
        require_plain_function(function)
        if not (0 <= every < math.inf and 0 < limit < math.inf):
            raise ValueError(f"every and limit are {every!r} and {limit!r}: accepted are numbers of seconds from 0")
        self._add_loop(function, lambda _: function(), every, limit, name)

    def keep_running(self, function: Callable[[threading.Event], object], *, name: str | None = None) -> None:
        """Keep a function running, in a thread of its own, until the worker stops.

        It is given an event that is set when it has to return, and called again after a pause when it returns or raises
        before that.

        Args:
            function: What is done.
            name: What it is called in logs and metrics; the function's name when None.

        Raises:
            TypeError: It is no plain function.
            ValueError: There is a loop of that name.
        """
        require_plain_function(function)
        self._add_loop(function, function, None, None, name)

    def handle_raw(self, raw: dict[str, Any], queue: str | None = None) -> tuple[Outcome, float | None]:
        """Handle one message as SQS gives it, as the consumer does and as a test may.

        Args:
            raw: An entry of `Messages` in SQS's answer to a receive.
            queue: The name of a further queue; the worker's own when None.

        Returns:
            What shall become of it, and in how many seconds it shall come again where the handler said so.
        """
        (verdict,) = self.handling(queue)([Lease.for_test(raw)])
        return verdict.outcome, verdict.delay

    def handling(self, queue: str | None) -> Handling:
        """What is done with the messages of a queue.

        Args:
            queue: The name of a further queue; the worker's own when None.

        Raises:
            ValueError: It has no handler.
        """
        if queue not in self._handlings:
            raise ValueError(f"queue {queue or MAIN!r} has no handler: worker.handle(function, queue=...)")
        return self._handlings[queue]

    def run(self, host: str = "0.0.0.0") -> int:  # noqa: S104 - see baselib.cli
        """Consume until SIGTERM, drain, and return the exit code.

        Args:
            host: The address at which the health endpoints listen.

        Raises:
            ValueError: A declared queue has no handler, or there is nothing to do.
            ConfigurationError: No region is known, or something else listens on the health port.
        """
        handlers = self._handlers.all()
        if not handlers and not self.loops:
            raise ValueError("nothing to do: worker.handle(...), worker.loop(...) or worker.keep_running(...)")
        return Daemon(self, handlers, self._life).run(host)

    @property
    def location(self) -> str:
        """`package.module:name` of this worker, from which its processes import it.

        Raises:
            ValueError: It is no global of an imported module.
        """
        for module, content in list(sys.modules.items()):
            if module != "__main__":
                for name, value in list(getattr(content, "__dict__", {}).items()):
                    if value is self:
                        return f"{module}:{name}"
        raise ValueError("with processes, a Worker has to be a global of a module, from which they import it")

    def _add_loop(
        self,
        function: Callable[..., object],
        turn: Callable[[threading.Event], object],
        every: float | None,
        limit: float | None,
        name: str | None,
    ) -> None:
        name = name or str(getattr(function, "__name__", "loop"))
        if any(loop.name == name for loop in self.loops):
            raise ValueError(f"there is a loop {name!r} already")
        self.loops.append(Loop(name, turn, every, limit))


def _require(name: str, value: int, least: int, most: int) -> None:
    if not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}: accepted is {least} to {most}")

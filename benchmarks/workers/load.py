"""One consumer under load once, in processes of its own."""

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from benchmarks.workers.jobs import QUEUE
from benchmarks.workers.processes import cpu_seconds, memory
from benchmarks.workers.program import Program, launched
from benchmarks.workers.variants import VARIANTS, Variant
from tests.sqs_stub.client import Stub, sqs_stub
from tests.sqs_stub.fault import Fault

CALL_MILLISECONDS: Final = 8
"""What a call takes in the second run."""
JOB_SECONDS: Final = 0.01
_WARM_UP: Final = 100
_PATIENCE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.02


class CannotRunError(RuntimeError):
    """The consumer does not do what it shall."""


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """A number of messages, from the first receive to the last delete.

    Attributes:
        microseconds: CPU of the whole tree for each.
        rate: Messages per second.
        calls: AWS calls per 1,000 messages, by action.
    """

    microseconds: float
    rate: float
    calls: Mapping[str, float]


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """One life of a consumer.

    Attributes:
        quick: Jobs that do nothing, calls that take no time.
        slow: Jobs that do nothing, calls of 8 ms.
        sleeping: Jobs of 10 ms, calls that take no time.
        resident: MiB that are resident, after all that.
        proportional: The same, where what processes share is divided between them.
    """

    quick: Run
    slow: Run
    sleeping: Run
    resident: float
    proportional: float


class Consumer:
    """A consumer that runs, and the stub from which it consumes.

    Args:
        variant: Which.
        program: Its process.
        stub: Where it consumes.
    """

    def __init__(self, variant: Variant, program: Program, stub: Stub) -> None:
        self.id = program.process.pid
        self.length = program.length
        self.stub = stub
        self._variant = variant
        self._program = program

    def consume(self, messages: int) -> Run:
        """Let it consume a number of messages that are there all at once.

        Raises:
            CannotRunError: It has ended, or takes too long.
        """
        bodies = [self._variant.body() for _ in range(messages)]
        calls, cpu = self.stub.statistics().calls, cpu_seconds(self.id)
        self.stub.fill(QUEUE, bodies)
        self._until(lambda: messages - self.stub.counts(QUEUE).visible, 1)
        began = time.monotonic()
        self._until(lambda: messages - sum(self.stub.counts(QUEUE)), messages)
        seconds = time.monotonic() - began
        used = cpu_seconds(self.id) - cpu
        made = {action: count - calls.get(action, 0) for action, count in self.stub.statistics().calls.items()}
        per_thousand = {action: count * 1000 / messages for action, count in made.items() if count}
        return Run(used / messages * 1e6, messages / seconds, per_thousand)

    def _until(self, count: Callable[[], int], messages: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (found := count()) < messages:
            code = self._program.process.poll()
            if code is not None:
                raise CannotRunError(f"ended with {code}: {self._last_line()}")
            if time.monotonic() > deadline:
                raise CannotRunError(f"{found} of {messages} in {_PATIENCE_SECONDS:g} s: {self._last_line()}")
            time.sleep(_LOOK_SECONDS)

    def _last_line(self) -> str:
        lines = self._program.output.read_text(encoding="utf-8", errors="replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
        with contextlib.suppress(ValueError, KeyError, TypeError):
            logged = json.loads(last)
            return f"{logged['message']}: {logged.get('error.message')}"
        return last[:200]


def sample(name: str) -> Sample:
    """Start a consumer and measure it.

    Args:
        name: One of `VARIANTS`.

    Raises:
        CannotRunError: It does not do what it shall.
    """
    variant = VARIANTS[name]
    with consuming(name) as consumer:
        consumer.consume(_WARM_UP)
        quick = consumer.consume(variant.jobs)
        consumer.stub.set_faults(Fault("latency", milliseconds=CALL_MILLISECONDS))
        slow = consumer.consume(variant.slow_jobs)
        consumer.stub.clear_faults()
        consumer.length.seconds = JOB_SECONDS
        sleeping = consumer.consume(variant.sleeping_jobs)
        return Sample(quick, slow, sleeping, *memory(consumer.id))


@contextlib.contextmanager
def consuming(name: str) -> Iterator[Consumer]:
    """A consumer of an empty queue, until the block ends."""
    with sqs_stub("--no-ledger") as stub, launched(name, stub.make_queue(QUEUE), stub.url) as program:
        yield Consumer(VARIANTS[name], program, stub)

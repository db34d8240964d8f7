"""A random schedule of everything that can go wrong, the same for the same seed."""

import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.reliability.workers.credentials import Endpoint
from tests.reliability.workers.fleet import Fleet
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault

RECEIVE, DELETE, CHANGE = "ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"
CREDENTIALS, RESETS = "credentials endpoint fails and hangs", "connections reset"
THROTTLING, BROKEN = "everything throttled", "500 for everything"

# What lasts all the time: one delete of five fails, and one change of visibility of ten.
ALWAYS = (Fault("fail_entries", 0.2, (DELETE,)), Fault("fail_entries", 0.1, (CHANGE,)))

_FAULTS: dict[str, tuple[Fault, ...]] = {
    THROTTLING: (Fault("throttle"),),
    BROKEN: (Fault("error"),),
    "half of the calls 500 or 503": (Fault("error", 0.3), Fault("error", 0.3, status=503)),
    RESETS: (Fault("reset", 0.3),),
    "latency of 0.3 s": (Fault("latency", 0.5, milliseconds=300),),
    "deletes hang": (Fault("hang", 0.5, (DELETE,)),),
    CREDENTIALS: (),
}
# During these nothing at all is received.
_OUTAGES = (THROTTLING, BROKEN)


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a schedule.

    Attributes:
        start: Seconds after the beginning.
        what: A fault, or the name of a signal.
        seconds: How long the fault lasts.
        place: Whom the signal is sent to.
    """

    start: float
    what: str
    seconds: float = 0.0
    place: int = 0

    def __str__(self) -> str:
        what = f"{self.what} for {self.seconds:.1f} s" if self.seconds else f"{self.what} to worker {self.place}"
        return f"{self.start:6.1f} s: {what}"


def schedule(seed: int, *, throttling: float, credentials: float, signals: tuple[float, float]) -> list[Step]:
    """Every fault once, one after the other in a random order, and signals at random moments.

    Args:
        seed: Another one gives another schedule.
        throttling: Seconds of throttling.
        credentials: Seconds without new keys.
        signals: The shortest and the longest time between two signals in seconds.
    """
    chosen = random.Random(seed)
    lengths = {THROTTLING: throttling, CREDENTIALS: credentials}
    steps, now = [], chosen.uniform(1.0, 2.0)
    for what in chosen.sample(sorted(_FAULTS), len(_FAULTS)):
        seconds = lengths.get(what) or chosen.uniform(1.0, 2.0)
        steps.append(Step(now, what, seconds))
        now += seconds + chosen.uniform(0.5, 1.0)
    end, now = now, chosen.uniform(*signals)
    kinds = ["SIGKILL", "SIGTERM"]
    while now < end:
        steps.append(Step(now, kinds[chosen.randrange(len(kinds))], place=chosen.randrange(2)))
        now += chosen.uniform(*signals)
    return sorted(steps, key=lambda step: step.start)


@dataclass(slots=True)
class Disturber:
    """Does what a schedule says.

    Args:
        stub: Whose faults are set.
        fleet: Whose workers get signals.
        endpoint: Where they get their keys.

    Attributes:
        outages: The name and the end of each outage in which nothing was received.
    """

    stub: Stub
    fleet: Fleet
    endpoint: Endpoint
    outages: list[tuple[str, float]] = field(default_factory=list)

    def run(self, steps: Sequence[Step], at_each_fault: Callable[[], None]) -> None:
        """Do it all, and leave only what lasts all the time.

        Args:
            steps: The schedule.
            at_each_fault: Called when a fault has begun.
        """
        began = time.monotonic()
        ends: list[tuple[float, Step]] = []
        for step in [*steps, None]:
            for end, of in list(ends):
                if step is None or end <= step.start:
                    _sleep_until(began + end)
                    self._end(of)
                    ends.remove((end, of))
            if step is None:
                return
            _sleep_until(began + step.start)
            if step.seconds:
                self._begin(step)
                at_each_fault()
                ends.append((step.start + step.seconds, step))
            elif not self.fleet.send_if_ready(step.place, signal.Signals[step.what]):
                print(f"worker {step.place} was about to begin or end: no signal at {step.start:.1f} s")

    def _begin(self, step: Step) -> None:
        if step.what == CREDENTIALS:
            self.endpoint.out.set()
        self.stub.set_faults(*ALWAYS, *_FAULTS[step.what], seed=int(step.start * 1000))
        if step.what == RESETS:
            self.stub.reset_connections()

    def _end(self, step: Step) -> None:
        moment = time.time()
        if step.what == CREDENTIALS:
            self.endpoint.out.clear()
        self.stub.set_faults(*ALWAYS)
        if step.what in _OUTAGES or step.what == CREDENTIALS:
            self.outages.append((step.what, moment))


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))

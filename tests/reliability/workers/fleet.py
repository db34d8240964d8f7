"""Workers that are replaced as soon as they end, as ECS replaces tasks."""

import itertools
import json
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.baselib.processes import IDENTITY, Program, alive, free_port, until
from tests.reliability.workers.notes import Notes
from tests.sqs_stub.client import Stub

ROOT = Path(__file__).resolve().parents[3]
_LOOK_SECONDS = 0.01
_LONGEST_DRAIN_SECONDS = 90.0
_CUT_SECONDS = 0.5


@dataclass(slots=True)
class Life:
    """The life of one process.

    Attributes:
        program: The process.
        ready: When it was ready to consume, in seconds since 1970; None when it never was.
        told: When it was sent a signal; None when nobody did.
        sent: That signal.
        ended: When it ended.
        code: Its exit code.
        undeleted: How many messages it had handled and could not delete, as it said itself.
        given_back: How many it gave back, as it said itself.
    """

    program: Program
    ready: float | None = None
    told: float | None = None
    sent: signal.Signals | None = None
    ended: float | None = None
    code: int | None = None
    undeleted: int = 0
    given_back: int = 0

    @property
    def id(self) -> int:
        """Its process id."""
        return self.program.id

    @property
    def killed(self) -> bool:
        """Whether it ended without a drain."""
        return self.code is not None and self.code < 0


class Fleet:
    """Some workers of one queue.

    Args:
        stub: The SQS that they use.
        queue: The queue's URL.
        folder: Where they may write.
        environment: More variables of theirs.
        places: How many run at a time.
    """

    def __init__(
        self, stub: Stub, queue: str, folder: Path, environment: Mapping[str, str] | None = None, places: int = 2
    ) -> None:
        self.stub, self.queue = stub, queue
        self.notes = Notes(folder / "notes")
        self.lives: list[Life] = []
        self.jumps: list[tuple[int, float]] = []
        self._folder, self._places = folder, places
        self._environment = {
            **IDENTITY,
            "SERVICE_NAME": "worker",
            **{name: value for name, value in stub.environment.items() if not name.startswith("AWS_ENDPOINT")},
            "AWS_ENDPOINT_URL": stub.url,
            "QUEUE_URL": queue,
            "PYTHONPATH": str(ROOT),
            "RELIABILITY_NOTES": str(folder / "notes"),
            **(environment or {}),
        }
        if "AWS_CONTAINER_CREDENTIALS_FULL_URI" in self._environment:
            del self._environment["AWS_ACCESS_KEY_ID"], self._environment["AWS_SECRET_ACCESS_KEY"]
        self._numbers = itertools.count()
        self._now: list[Life | None] = [None] * places
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start a worker in each place."""
        self._closing.clear()
        self._threads = [threading.Thread(target=self._keep, args=(place,)) for place in range(self._places)]
        for thread in self._threads:
            thread.start()

    def replace_nobody(self) -> None:
        """Start no other worker when one ends."""
        self._closing.set()

    def life(self, place: int = 0) -> Life:
        """The worker that is ready in a place, as soon as there is one."""

        def ready() -> Life | None:
            life = self._now[place]
            return life if life is not None and life.ready and not life.told and not life.ended else None

        return until(ready, "a worker is ready", 60)

    def send(self, place: int, number: signal.Signals) -> Life:
        """Send a signal to the worker of a place as soon as it is ready."""
        life = self.life(place)
        life.sent, life.told = number, time.time()
        if not life.ended:
            life.program.send(number)
        return life

    def send_if_ready(self, place: int, number: signal.Signals) -> bool:
        """Send a signal to the worker of a place; False when it begins or ends just now."""
        life = self._now[place]
        if life is None or not life.ready or life.told or life.ended:
            return False
        self.send(place, number)
        return True

    def ended(self, life: Life) -> Life:
        """A life that is over, as soon as it is."""
        until(lambda: life.ended, "the worker has ended", _LONGEST_DRAIN_SECONDS)
        return life

    def stop(self, *, empty: bool = False) -> None:
        """Send SIGTERM to all, replace none of them, and wait for their ends.

        Args:
            empty: Whether the queue is known to be empty, so that long polls may be cut short.
        """
        self._closing.set()
        for place, life in enumerate(self._now):
            if life is not None and not life.ended and not life.told:
                _until_ready_or_ended(life)
                if not life.ended:
                    self.send(place, signal.SIGTERM)
        while empty and any(thread.is_alive() for thread in self._threads):
            time.sleep(_CUT_SECONDS)
            self.stub.reset_connections()
        self._join()

    def close(self) -> None:
        """End all, whatever they do."""
        self._closing.set()
        with self._lock:
            lives = list(self.lives)
        for life in lives:
            if not life.ended:
                life.program.kill()
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(_LONGEST_DRAIN_SECONDS)
        assert not any(thread.is_alive() for thread in self._threads), "a worker did not end"

    def jump(self, seconds: float) -> None:
        """Let time pass in the stub."""
        self.jumps.append((len(self.stub.ledger(self._name)), seconds))
        self.stub.advance(seconds)

    @property
    def _name(self) -> str:
        return self.queue.rpartition("/")[2]

    def finish(self, visibility: float) -> None:
        """Wait until nothing is left in the queue; what killed workers held is let come back without a wait."""
        until(lambda: self.stub.counts(self.queue).visible == 0, "everything was received", 240)
        self.stop(empty=True)
        for _ in range(10):
            if sum(self.stub.counts(self.queue)) == 0:
                return
            self.jump(visibility + 1)
            self.start()
            until(lambda: self.stub.counts(self.queue).visible == 0, "everything was received", 120)
            until(lambda: sum(self.stub.counts(self.queue)) == 0 or self._died(), "everything was handled", 120)
            self.stop(empty=True)
        raise AssertionError(f"the queue does not become empty: {self.stub.counts(self.queue)}")

    def _died(self) -> bool:
        return self.lives[-1].killed

    def _keep(self, place: int) -> None:
        while not self._closing.is_set():
            life = self._started()
            self._now[place] = life
            while alive(life.id):
                if life.ready is None and '"ready"' in life.program.output:
                    life.ready = time.time()
                time.sleep(_LOOK_SECONDS)
            ended = time.time()
            life.code = life.program.wait()
            for line in life.program.output.splitlines():
                if '"stopped"' in line and "undeleted" in line:
                    told = json.loads(line)
                    life.undeleted, life.given_back = told["undeleted"], told["given_back"]
            life.ended = ended

    def _started(self) -> Life:
        with self._lock:
            home = self._folder / f"worker-{next(self._numbers)}"
            home.mkdir()
            command = ["-m", "baselib.cli", "worker", "--host", "127.0.0.1", "tests.reliability.workers.service:worker"]
            life = Life(Program(command, home, {**self._environment, "HEALTH_PORT": str(free_port())}))
            self.lives.append(life)
            return life


def _until_ready_or_ended(life: Life) -> None:
    until(lambda: life.ready or life.ended, "a worker is ready", 60)

"""One thread that starts each run when it is due, and gives up on a run that takes too long."""

import math
import random
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from baselib.concurrency import start_thread
from baselib.health.errors import told

# A fleet that was started together shall not check together: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
_JITTER: Final = 0.2
_LONGEST_SLEEP_SECONDS: Final = 3600.0

# Its own, so that a seed that somebody sets does not make all processes check together.
_random: Final = random.SystemRandom()


class Task(Protocol):
    """What is run again and again."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def timeout(self) -> float:
        """Seconds after which a run counts as failed."""

    def run(self) -> object:
        """One run; raises or returns False when it fails."""

    def attempted(self, error: str, began: float, now: float, *, hangs: bool = False) -> float | None:
        """Take note of a run; seconds until the next, None when there shall be none."""


@dataclass(slots=True, eq=False)
class _Slot:
    task: Task
    due: float = 0.0
    """When to start a run; while one is going on, when to give up on it (again)."""
    running: bool = False
    began: float = 0.0
    given_up: bool = False


class Scheduler:
    """Runs tasks in the background, each in a thread of its own, so that none waits for another.

    There is at most one run of a task at a time, and so at most one thread for one that hangs. The thread starts with
    `start`, belongs to the process that called it, and ends with the scheduler.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._slots: list[_Slot] = []
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False
        self.started = 0.0

    def add(self, task: Task) -> None:
        """Run a task from now on, or from `start` on."""
        with self._changed:
            self._slots.append(_Slot(task))
        self._wake.set()

    def start(self) -> None:
        """Begin, unless that was done or there is nothing to do; never blocks for long and never raises."""
        thread = self._thread
        if (thread is not None and thread.is_alive()) or not self._slots or self._closed:
            return
        with self._changed:
            if self._thread is thread:
                fresh = start_thread(_keep, weakref.ref(self), self._wake, name="health-scheduler")
                # Without a thread the next caller tries again.
                if fresh is not None:
                    self._thread, self.started = fresh, time.monotonic()

    def close(self) -> None:
        """Start no more runs."""
        self._closed = True
        self._wake.set()

    def wait(self, condition: Callable[[], bool], timeout: float) -> None:
        """Wait until a condition holds after a run, at most `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(condition, timeout)

    def tick(self) -> float | None:
        """Do what is due; seconds until there is more, None when the scheduler is closed."""
        if self._closed:
            return None
        with self._changed:
            now = time.monotonic()
            for slot in self._slots:
                if slot.due <= now:
                    if slot.running:
                        self._give_up(slot, now)
                    else:
                        self._begin(slot, now)
            until = min((slot.due for slot in self._slots), default=math.inf)
        return min(max(until - now, 0.0), _LONGEST_SLEEP_SECONDS)

    def _begin(self, slot: _Slot, now: float) -> None:
        slot.running, slot.began, slot.given_up = True, now, False
        slot.due = now + slot.task.timeout
        try:
            threading.Thread(target=self._run, args=(slot,), name=f"health-{slot.task.name}", daemon=True).start()
        except RuntimeError as error:
            slot.running = False
            self._note(slot, told(error), now)

    def _give_up(self, slot: _Slot, now: float) -> None:
        error = _no_answer(slot)
        if slot.given_up:
            error += f", running for {now - slot.began:.0f} s"
        slot.given_up = True
        self._note(slot, error, now, hangs=True)

    def _run(self, slot: _Slot) -> None:
        try:
            error = "returned False" if slot.task.run() is False else ""
        except BaseException as failure:  # noqa: BLE001 - whatever a check raises is its answer, SystemExit too
            error = told(failure)
        with self._changed:
            now = time.monotonic()
            slot.running = False
            # What was given up has been counted as failed; the next run is due when that was arranged.
            if not slot.given_up:
                # Too late even where the scheduler has not noticed yet, because the machine is busy.
                late = now - slot.began > slot.task.timeout
                self._note(slot, error or (_no_answer(slot) if late else ""), now)
        self._wake.set()

    def _note(self, slot: _Slot, error: str, now: float, *, hangs: bool = False) -> None:
        # Due again whatever the note raises.
        slot.due = now + _JITTER
        pause = slot.task.attempted(error, slot.began, now, hangs=hangs)
        slot.due = math.inf if pause is None else now + pause * _random.uniform(1 - _JITTER, 1 + _JITTER)
        self._changed.notify_all()


def _no_answer(slot: _Slot) -> str:
    return f"no answer within {slot.task.timeout:g} s"


def _keep(of: "weakref.ref[Scheduler]", wake: threading.Event) -> None:
    """The thread's work; it does not keep a scheduler alive that nobody else holds."""
    while (scheduler := of()) is not None:
        wake.clear()
        seconds = scheduler.tick()
        if seconds is None:
            return
        del scheduler
        wake.wait(seconds)

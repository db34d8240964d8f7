"""Following a task of SQS's until it ends, and stopping it."""

import time
from typing import Final

from baselib.queues.errors import QueueError
from baselib.queues.interruption import Interruption
from baselib.queues.move_task import MoveTask, TaskState
from baselib.queues.outcome import Outcome
from baselib.queues.terminal import Terminal

_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0
_GROWTH: Final = 1.5
# Calls that failed one after the other; each of them has been tried four times by the client.
_FAILURES: Final = 10
# A task that was started is listed at once, or a little later.
_LISTED_SECONDS: Final = 60.0
# SQS's numbers are approximate, so that some more are no sign of messages that come back.
_MARGIN: Final = 1.1
_MARGIN_MESSAGES: Final = 10


class Following:
    """Follows a task.

    Args:
        task: The task.
        at_start: How many messages there were.
        interruption: A signal cancels the task.
        terminal: Sees the progress.
    """

    def __init__(self, task: MoveTask, at_start: int, interruption: Interruption, terminal: Terminal) -> None:
        self._task = task
        self._at_start = at_start
        self._interruption = interruption
        self._terminal = terminal
        self._cancelled = False
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """Wait for the task's end."""
        outcome, pause, failures = self._outcome, _FIRST_PAUSE_SECONDS, 0
        listed_by = time.monotonic() + _LISTED_SECONDS
        while True:
            try:
                state = self._task.state()
                failures = 0
            except QueueError as error:
                state, failures = None, failures + 1
                if failures >= _FAILURES or (self._cancelled and self._interruption.asked):
                    outcome.error = f"the task goes on in SQS, but cannot be followed: {error}"
                    return outcome
            if state is not None:
                outcome.done = state.moved
                if not state.under_way:
                    return self._ended(state)
                self._look(state)
            elif time.monotonic() > listed_by and not outcome.done:
                outcome.error = "the task was started, but SQS does not list it"
                return outcome
            self._stop_when_asked()
            if outcome.error and not self._cancelled:
                return outcome
            self._wait(pause)
            pause = min(_LONGEST_PAUSE_SECONDS, pause * _GROWTH)

    def _ended(self, state: TaskState) -> Outcome:
        if state.status == "FAILED":
            self._outcome.error = f"the task failed: {state.reason or 'SQS says no reason'}"
        self._outcome.interrupted = self._interruption.asked and state.status == "CANCELLED"
        return self._outcome

    def _look(self, state: TaskState) -> None:
        there = state.to_move if state.to_move is not None else self._at_start
        self._terminal.progress(f"{state.moved:,} of {there:,} moved")
        if not self._cancelled and state.moved > max(there, self._at_start) * _MARGIN + _MARGIN_MESSAGES:
            self._outcome.error = "stopped: more were moved than there were, so messages fail again and come back"
            self._cancel()

    def _stop_when_asked(self) -> None:
        if self._interruption.asked and not self._cancelled:
            self._cancel()

    def _cancel(self) -> None:
        try:
            self._task.cancel()
            self._cancelled = True
        except QueueError as error:
            self._outcome.error = f"the task goes on in SQS: it could not be cancelled: {error}"
            self._outcome.interrupted = self._interruption.asked

    def _wait(self, seconds: float) -> None:
        if self._cancelled:
            # A signal has come already, or none is waited for.
            Interruption().sleep(_FIRST_PAUSE_SECONDS)
        else:
            self._interruption.sleep(seconds)

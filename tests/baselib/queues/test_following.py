"""Following a task of SQS's to its end, whatever becomes of it."""

from collections.abc import Sequence

import pytest

from baselib.queues import QueueError, following
from baselib.queues.following import Following
from baselib.queues.interruption import Interruption
from baselib.queues.move_task import TaskState
from baselib.queues.outcome import Outcome
from baselib.queues.terminal import Terminal


class _Task:
    """A task that is as it was told, time after time."""

    def __init__(self, states: Sequence[TaskState | QueueError | None], refuses: str = "") -> None:
        self._states = list(states)
        self._refuses = refuses
        self.cancelled = 0

    def state(self) -> TaskState | None:
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if isinstance(state, QueueError):
            raise state
        return state

    def cancel(self) -> None:
        self.cancelled += 1
        if self._refuses:
            raise QueueError(self._refuses)


def _state(status: str, moved: int, reason: str | None = None) -> TaskState:
    return TaskState(1, status, moved, 10, reason)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(following, "_LONGEST_PAUSE_SECONDS", 0.001)


def _follow(task: _Task, interruption: Interruption | None = None) -> Outcome:
    return Following(task, 10, interruption or Interruption(), Terminal()).run()  # type: ignore[arg-type]


def test_until_it_is_complete() -> None:
    outcome = _follow(_Task([None, _state("RUNNING", 3), QueueError("a blink"), _state("COMPLETED", 10)]))
    assert (outcome.done, outcome.exit_code) == (10, 0)


def test_a_failure_is_told_with_its_reason() -> None:
    outcome = _follow(_Task([_state("FAILED", 4, "CouldNotDetermineMessageSource")]))
    assert (outcome.done, outcome.exit_code) == (4, 1)
    assert outcome.error == "the task failed: CouldNotDetermineMessageSource"


def test_messages_that_come_back_end_it() -> None:
    task = _Task([_state("RUNNING", 11), _state("RUNNING", 22), _state("CANCELLING", 23), _state("CANCELLED", 24)])
    outcome = _follow(task)
    assert (task.cancelled, outcome.done, outcome.exit_code) == (1, 24, 1)
    assert "come back" in str(outcome.error)


def test_one_that_cannot_be_followed() -> None:
    outcome = _follow(_Task([_state("RUNNING", 3), QueueError("refused")]))
    assert (outcome.done, outcome.exit_code) == (3, 1)
    assert outcome.error == "the task goes on in SQS, but cannot be followed: refused"


def test_one_that_is_never_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_LISTED_SECONDS", 0.01)
    assert _follow(_Task([None])).error == "the task was started, but SQS does not list it"


def test_a_signal_cancels_it() -> None:
    interruption = Interruption()
    interruption.asked = True
    task = _Task([_state("RUNNING", 3), _state("CANCELLING", 4), _state("CANCELLED", 5)])
    outcome = _follow(task, interruption)
    assert (task.cancelled, outcome.done, outcome.exit_code, outcome.error) == (1, 5, 130, None)


def test_a_signal_after_its_end_is_no_interruption() -> None:
    interruption = Interruption()
    interruption.asked = True
    assert _follow(_Task([_state("RUNNING", 3), _state("COMPLETED", 10)]), interruption).exit_code == 0


def test_one_that_cannot_be_cancelled() -> None:
    interruption = Interruption()
    interruption.asked = True
    outcome = _follow(_Task([_state("RUNNING", 3)], refuses="not allowed"), interruption)
    assert outcome.error == "the task goes on in SQS: it could not be cancelled: not allowed"

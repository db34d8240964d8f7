"""SQS's own task that moves the messages of a dead-letter queue.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from baselib.queues.errors import QueueError, code_of, denied, explained, no_sqs, reason_of
from baselib.queues.queue import OperatedQueue

MOST_A_SECOND: Final = 500
_LISTED: Final = 10
_UNDER_WAY: Final = frozenset({"RUNNING", "CANCELLING"})
_NOT_OFFERED: Final = frozenset({"UnsupportedOperation", "InvalidAction", "UnknownOperationException"})
# Asked about a queue that is the dead-letter queue of none.
_NO_DEAD_LETTERS: Final = "InvalidParameterValue"


class TaskUnavailableError(Exception):
    """SQS does not move these messages by itself; the text says why."""


@dataclass(frozen=True, slots=True)
class TaskState:
    """How far a task is.

    Attributes:
        started: When it started, in milliseconds since 1970.
        status: `RUNNING`, `COMPLETED`, `CANCELLING`, `CANCELLED` or `FAILED`.
        moved: About how many messages have been moved.
        to_move: How many there were at its start; None as long as SQS has not begun.
        reason: Why it failed, or None.
    """

    started: int
    status: str
    moved: int
    to_move: int | None
    reason: str | None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """The state in an answer of ListMessageMoveTasks."""
        return cls(
            int(entry.get("StartedTimestamp", 0)),
            str(entry["Status"]),
            int(entry.get("ApproximateNumberOfMessagesMoved") or 0),
            entry.get("ApproximateNumberOfMessagesToMove"),
            entry.get("FailureReason"),
        )

    @property
    def under_way(self) -> bool:
        """Whether messages are still moved."""
        return self.status in _UNDER_WAY


class MoveTask:
    """A task under way.

    Args:
        source: The dead-letter queue.
        handle: SQS's name for the task.
        earlier: When earlier tasks of the queue were started.
    """

    def __init__(self, source: OperatedQueue, handle: str, earlier: frozenset[int]) -> None:
        self._source = source
        self._handle = handle
        self._earlier = earlier

    @classmethod
    def start(cls, source: OperatedQueue, target: OperatedQueue, rate: int | None) -> Self:
        """Start.

        Args:
            source: The dead-letter queue.
            target: The queue that its messages go to.
            rate: How many a second at most, up to 500; as many as SQS thinks right when None.

        Raises:
            TaskUnavailableError: SQS does not do it, or the credentials have no permission for it.
            QueueError: A task of this queue is under way already, or something else went wrong.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415 - the client loads it anyway

        speed = {"MaxNumberOfMessagesPerSecond": rate} if rate else {}
        with explained(source.name):
            try:
                # The harmless call first: what does not know this one does not know the next.
                earlier = _states(source)
            except ClientError as error:
                if _not_offered(error) or no_sqs(error) or code_of(error) == _NO_DEAD_LETTERS:
                    raise TaskUnavailableError(reason_of(error)) from error
                raise
            _refuse_second(source, earlier)
            try:
                answer = source.client.start_message_move_task(SourceArn=source.arn, DestinationArn=target.arn, **speed)
            except ClientError as error:
                if _not_offered(error):
                    raise TaskUnavailableError(reason_of(error)) from error
                raise
        return cls(source, answer["TaskHandle"], frozenset(state.started for state in earlier))

    def state(self) -> TaskState | None:
        """How far it is; None while SQS does not list it yet.

        Raises:
            QueueError: AWS cannot be asked.
        """
        with explained(self._source.name):
            mine = [state for state in _states(self._source) if state.started not in self._earlier]
        return max(mine, key=lambda state: state.started, default=None)

    def cancel(self) -> None:
        """Ask SQS to stop; what has been moved stays where it is.

        Raises:
            QueueError: AWS refuses, for instance because the task has ended.
        """
        with explained(self._source.name):
            self._source.client.cancel_message_move_task(TaskHandle=self._handle)


def _states(source: OperatedQueue) -> list[TaskState]:
    answer = source.client.list_message_move_tasks(SourceArn=source.arn, MaxResults=_LISTED)
    return [TaskState.of(entry) for entry in answer.get("Results", ())]


def _refuse_second(source: OperatedQueue, states: list[TaskState]) -> None:
    for state in states:
        if state.under_way:
            raise QueueError(
                f"the messages of {source.name} are being moved already: {state.moved:,} of "
                f"{'?' if state.to_move is None else format(state.to_move, ',')} so far"
            )


def _not_offered(error: Any) -> bool:
    return denied(error) or code_of(error) in _NOT_OFFERED

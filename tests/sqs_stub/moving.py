"""The redrive of dead-lettered messages: StartMessageMoveTask and its company.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
"""

import asyncio
import base64
import uuid
from collections.abc import Mapping
from typing import Any, Final

import orjson

from tests.sqs_stub import ledger as events
from tests.sqs_stub.errors import SqsError, invalid, missing
from tests.sqs_stub.message import Message
from tests.sqs_stub.queues import Queue
from tests.sqs_stub.service import Service

_MAXIMUM_PER_SECOND: Final = 500
_TURN_SECONDS: Final = 0.02
_MAXIMUM_LISTED: Final = 10


class MoveTask:
    """One redrive, which goes on by itself."""

    def __init__(self, service: Service, source: Queue, destination: str, per_second: int | None) -> None:
        self.source, self.destination, self.per_second = source, destination, per_second
        self.status = "RUNNING"
        self.reason = ""
        self.moved = 0
        self.id = str(uuid.uuid4())
        self.started = service.clock.now()
        self._service = service
        self._left = source.visible()
        self.to_move = len(self._left)
        self._credit = 0.0
        self.handle = base64.b64encode(orjson.dumps({"taskId": self.id, "sourceArn": source.arn})).decode()
        asyncio.get_running_loop().call_later(_TURN_SECONDS, self._turn)

    def _turn(self) -> None:
        if self.status == "CANCELLING":
            self.status = "CANCELLED"
            return
        self._credit += (self.per_second or _MAXIMUM_PER_SECOND) * _TURN_SECONDS
        while self._left and self._credit >= 1:
            self._credit -= 1
            self._move(self._left.pop(0))
            if self.status == "FAILED":
                return
        if self._left:
            asyncio.get_running_loop().call_later(_TURN_SECONDS, self._turn)
        else:
            self.status = "COMPLETED"

    def _move(self, message: Message) -> None:
        target = self._service.by_arn(self.destination or message.source)
        if target is None:
            self.status, self.reason = "FAILED", "CouldNotDetermineMessageSource"
            return
        if message not in self.source.visible():
            return
        # A redriven message is a new one, with an id and a time of sending of its own (see above).
        fresh = Message(
            str(uuid.uuid4()),
            message.body,
            attributes=message.attributes,
            group=message.group,
            deduplication=message.deduplication,
            trace=message.trace,
        )
        ledger = self._service.ledger
        if ledger is not None:
            detail = {"queue": target.name, "as": fresh.id}
            ledger.events.append((self._service.clock.now(), events.REDRIVEN, self.source.name, message.id, detail))
        self.source.leave(message)
        target.put(fresh, 0.0)
        target.wake()
        self.moved += 1

    def listed(self) -> dict[str, Any]:
        """As ListMessageMoveTasks gives it."""
        listed = {
            "Status": self.status,
            "SourceArn": self.source.arn,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": int(self.started * 1_000),
        }
        if self.status == "RUNNING":
            # Only a running task is listed with its handle:
            # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasksResultEntry.html
            listed["TaskHandle"] = self.handle
        if self.destination:
            listed["DestinationArn"] = self.destination
        if self.per_second:
            listed["MaxNumberOfMessagesPerSecond"] = self.per_second
        if self.reason:
            listed["FailureReason"] = self.reason
        return listed


def start_message_move_task(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Begin to move the messages of a dead-letter queue."""
    source = _dead_letter_queue(service, parameters)
    destination = str(parameters.get("DestinationArn") or "")
    if destination and service.by_arn(destination) is None:
        raise SqsError("ResourceNotFoundException", "The resource that you specified for DestinationArn doesn't exist.")
    per_second = parameters.get("MaxNumberOfMessagesPerSecond")
    if per_second is not None and not 1 <= per_second <= _MAXIMUM_PER_SECOND:
        raise invalid(f"Value for parameter MaxNumberOfMessagesPerSecond is invalid: 1 to {_MAXIMUM_PER_SECOND}.")
    if any(task.source is source and task.status == "RUNNING" for task in service.move_tasks.values()):
        raise invalid("There is already a task running. Only one active task is allowed for a source queue arn.")
    task = MoveTask(service, source, destination, per_second)
    service.move_tasks[task.handle] = task
    return orjson.dumps({"TaskHandle": task.handle})


def list_message_move_tasks(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """The newest tasks of a dead-letter queue."""
    source = _dead_letter_queue(service, parameters)
    most = parameters.get("MaxResults") or 1
    if not 1 <= most <= _MAXIMUM_LISTED:
        raise invalid(f"Value {most} for parameter MaxResults is invalid: 1 to {_MAXIMUM_LISTED}.")
    tasks = [task for task in reversed(service.move_tasks.values()) if task.source is source]
    return orjson.dumps({"Results": [task.listed() for task in tasks[:most]]})


def cancel_message_move_task(service: Service, parameters: Mapping[str, Any]) -> bytes:
    """Stop a task; what it has moved stays moved."""
    handle = parameters.get("TaskHandle")
    if not handle:
        raise missing("TaskHandle")
    task: MoveTask | None = service.move_tasks.get(handle)
    if task is None:
        raise SqsError("ResourceNotFoundException", "Task does not exist.", status=404)
    if task.status != "RUNNING":
        raise SqsError("UnsupportedOperation", "Only active tasks can be cancelled.")
    task.status = "CANCELLING"
    return orjson.dumps({"ApproximateNumberOfMessagesMoved": task.moved})


def _dead_letter_queue(service: Service, parameters: Mapping[str, Any]) -> Queue:
    arn = parameters.get("SourceArn")
    if not arn:
        raise missing("SourceArn")
    source = service.by_arn(arn)
    if source is None:
        raise SqsError(
            "ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist."
        )
    if not any(each.attributes.dead_letter_arn == arn for each in service.queues.values()):
        raise invalid("Source queue must be configured as a Dead Letter Queue.")
    return source

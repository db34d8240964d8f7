"""The dead-letter queue of a queue: after how many receives SQS moves a message there, and the way there for others."""

import json
import logging
import re
import threading
import time
from typing import Any, Final, NamedTuple

from baselib.telemetry.identifiers import REQUEST_ID_HEADER
from baselib.worker.engine.queue import Queue
from baselib.worker.limits import MAXIMUM_BYTES

REASON_ATTRIBUTE: Final = "Rejected-Reason"
"""The attribute of a message in the dead-letter queue that says why its handler rejected it."""

_logger = logging.getLogger("baselib.worker")

# The policy may be changed while the worker runs; a queue that could not be asked is asked again sooner.
_KNOWN_FOR_SECONDS: Final = 900.0
_UNKNOWN_FOR_SECONDS: Final = 60.0
_MOST_ATTRIBUTES: Final = 10
_LONGEST_REASON: Final = 256
# What the reason and the other attributes may need of what SQS takes in all.
_ROOM_BYTES: Final = 65_536
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_NOT_SENDABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Policy(NamedTuple):
    """A queue's redrive policy.

    Attributes:
        target: The ARN of the dead-letter queue.
        receives: After how many receives SQS moves a message there.
    """

    target: str
    receives: int


class DeadLetters:
    """The way to the dead-letter queue.

    Args:
        queue: The queue of which it is one.
        name: The queue's name, for logs.
    """

    def __init__(self, queue: Queue, name: str) -> None:
        self._queue = queue
        self._name = name
        self._lock = threading.Lock()
        self._policy: Policy | None = None
        self._look_again = float("-inf")
        self._urls: dict[str, str] = {}

    def policy(self) -> Policy | None:
        """The redrive policy; None where there is none, or where it cannot be known now."""
        with self._lock:
            if time.monotonic() >= self._look_again:
                try:
                    self._policy = self._ask()
                    self._look_again = time.monotonic() + _KNOWN_FOR_SECONDS
                except Exception as error:  # noqa: BLE001 - without it SQS moves messages all the same
                    self._look_again = time.monotonic() + _UNKNOWN_FOR_SECONDS
                    _logger.warning("redrive policy unknown", extra={"queue": self._name, "reason": str(error)})
            return self._policy

    def bury(self, raw: dict[str, Any], reason: str, request_id: str | None = None) -> bool:
        """Copy a message to the dead-letter queue.

        Args:
            raw: The message as SQS gave it.
            reason: Why; it becomes an attribute where there is room for one.
            request_id: That of the log lines about it; likewise, where the message has none of its own.

        Returns:
            Whether the message is there now.
        """
        policy = self.policy()
        if policy is None:
            return False
        try:
            copy = _copy(raw, reason, request_id, self._queue.fifo)
            self._queue.client.send_message(QueueUrl=self._url(policy.target), **copy)
        except Exception as error:  # noqa: BLE001 - it stays where it is, and is tried again
            _logger.warning("cannot move to the dead-letter queue", extra={"queue": self._name, "error": str(error)})
            return False
        return True

    def _ask(self) -> Policy | None:
        answer = self._queue.client.get_queue_attributes(QueueUrl=self._queue.url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(answer.get("Attributes", {}).get("RedrivePolicy", "{}"))
        target = policy.get("deadLetterTargetArn")
        return Policy(target, int(policy["maxReceiveCount"])) if target else None

    def _url(self, arn: str) -> str:
        url = self._urls.get(arn)
        if url is None:
            account, name = arn.split(":")[4:6]
            answer = self._queue.client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
            url = self._urls[arn] = answer["QueueUrl"]
        return url


def _copy(raw: dict[str, Any], reason: str, request_id: str | None, fifo: bool) -> dict[str, Any]:
    attributes = {
        name: {key: value[key] for key in ("DataType", "StringValue", "BinaryValue") if key in value}
        for name, value in raw.get("MessageAttributes", {}).items()
    }
    if MAXIMUM_BYTES - len(raw["Body"].encode()) > _ROOM_BYTES:
        for name, said in ((REASON_ATTRIBUTE, reason), (REQUEST_ID_HEADER, request_id or "")):
            text = _NOT_SENDABLE.sub("?", said)[:_LONGEST_REASON]
            if text and len(attributes) < _MOST_ATTRIBUTES and (name == REASON_ATTRIBUTE or name not in attributes):
                attributes[name] = {"DataType": "String", "StringValue": text}
    copy: dict[str, Any] = {"MessageBody": raw["Body"], "MessageAttributes": attributes}
    system = raw.get("Attributes", {})
    if "AWSTraceHeader" in system:
        copy["MessageSystemAttributes"] = {
            "AWSTraceHeader": {"DataType": "String", "StringValue": system["AWSTraceHeader"]}
        }
    if fifo:
        copy["MessageGroupId"] = system["MessageGroupId"]
        # Copied again, because its delete failed, it is there once all the same.
        copy["MessageDeduplicationId"] = raw["MessageId"]
    return copy

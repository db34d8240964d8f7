"""Queues of SQS: who may use one as its dead-letter queue, and how policies come back."""

import json
from typing import Any

from moto.sqs.models import Queue

from tests.terraform.emulator.patching import around, remember

remember(Queue, redrive_allow_policy=None)
Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]


@around(Queue, "_set_attributes")
def set_attributes(original: Any, self: Any, attributes: dict[str, Any], now: float | None = None) -> None:
    """moto does not know RedriveAllowPolicy, and forgets the queue's policy whenever another attribute is set.

    An attribute that a request does not name keeps its value, and an empty policy takes it away:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    """
    policy = getattr(self, "policy", None)
    original(self, attributes, now)
    if "Policy" not in attributes:
        self.policy = policy
    for name in ("redrive_policy", "redrive_allow_policy"):
        if getattr(self, name, None) == "":
            setattr(self, name, None)


@around(Queue, "attributes")
def attributes(original: Any, self: Any) -> dict[str, Any]:
    """moto puts spaces into the JSON of a redrive policy; SQS answers with none, as its own examples show.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
    """
    answer: dict[str, Any] = original(self)
    for name in ("RedrivePolicy", "RedriveAllowPolicy"):
        value = answer.get(name)
        if value:
            answer[name] = json.dumps(json.loads(value) if isinstance(value, str) else value, separators=(",", ":"))
        else:
            answer.pop(name, None)
    return answer

"""The attributes of a queue: what SQS takes, and what it takes them for.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from collections.abc import Mapping
from typing import Final

import orjson

from tests.sqs_stub.errors import SqsError

# Lowest, highest and default value.
_NUMBERS: Final = {
    "DelaySeconds": (0, 900, 0),
    "MaximumMessageSize": (1_024, 1_048_576, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600, 345_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20, 0),
    "VisibilityTimeout": (0, 43_200, 30),
}
_SWITCHES: Final = ("FifoQueue", "ContentBasedDeduplication", "SqsManagedSseEnabled")
_CHOICES: Final = {
    "DeduplicationScope": ("queue", "messageGroup"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}
_JSON: Final = ("RedrivePolicy", "RedriveAllowPolicy", "Policy")
_OTHERS: Final = ("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds")
_ONLY_FIFO: Final = ("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")


class QueueAttributes:
    """What a queue was set up with.

    Args:
        values: Attributes as SQS takes them, each a string.

    Raises:
        SqsError: SQS does not take one of them.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values: dict[str, str] = {}
        self.update(values)

    def update(self, values: Mapping[str, str]) -> None:
        """Set some attributes; none of them when SQS does not take one."""
        for name, value in values.items():
            _check(name, str(value))
        # An empty policy takes the policy away.
        merged = {**self.values, **{name: str(value) for name, value in values.items()}}
        self.values = {name: value for name, value in merged.items() if value or name not in _JSON}
        self.delay = self._number("DelaySeconds")
        self.maximum_size = self._number("MaximumMessageSize")
        self.retention = self._number("MessageRetentionPeriod")
        self.wait = self._number("ReceiveMessageWaitTimeSeconds")
        self.visibility = self._number("VisibilityTimeout")
        policy = orjson.loads(self.values.get("RedrivePolicy") or "{}")
        self.dead_letter_arn = str(policy.get("deadLetterTargetArn", ""))
        self.maximum_receives = int(policy.get("maxReceiveCount", 0))
        self.content_based = self.values.get("ContentBasedDeduplication") == "true"
        self.by_group = self.values.get("DeduplicationScope") == "messageGroup"

    def _number(self, name: str) -> int:
        return int(self.values.get(name, _NUMBERS[name][2]))

    def listed(self, fifo: bool) -> dict[str, str]:
        """All of them, as SQS lists them."""
        listed = {name: str(number[2]) for name, number in _NUMBERS.items()}
        listed["SqsManagedSseEnabled"] = "true"
        if fifo:
            listed |= {
                "FifoQueue": "true",
                "ContentBasedDeduplication": "false",
                "DeduplicationScope": "queue",
                "FifoThroughputLimit": "perQueue",
            }
        return {**listed, **self.values}


def _check(name: str, value: str) -> None:
    wrong = SqsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
    if name in _NUMBERS:
        lowest, highest, _ = _NUMBERS[name]
        if not value.isdigit() or not lowest <= int(value) <= highest:
            raise wrong
    elif name in _SWITCHES:
        if value not in ("true", "false"):
            raise wrong
    elif name in _CHOICES:
        if value not in _CHOICES[name]:
            raise wrong
    elif name in _JSON:
        _check_json(name, value, wrong)
    elif name not in _OTHERS:
        raise SqsError("InvalidAttributeName", f"Unknown Attribute {name}.")


def _check_json(name: str, value: str, wrong: SqsError) -> None:
    if not value:
        return
    try:
        policy = orjson.loads(value)
        if name == "RedrivePolicy" and not (
            str(policy["deadLetterTargetArn"]).startswith("arn:") and 1 <= int(policy["maxReceiveCount"]) <= 1_000
        ):
            raise wrong
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise wrong from None


def check_for_kind(values: Mapping[str, str], *, fifo: bool) -> None:
    """Attributes of FIFO queues are for FIFO queues.

    Raises:
        SqsError: One is not.
    """
    for name in _ONLY_FIFO:
        if name in values and not fifo:
            raise SqsError("InvalidAttributeName", f"Unknown Attribute {name}.")

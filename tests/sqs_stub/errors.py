"""Errors in the form in which SQS gives them.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
"""

from typing import Any, Final

# The names of before the JSON protocol, which clients still see through the header x-amzn-query-error.
_QUERY_CODES: Final = {
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingRequiredParameterException": "MissingParameter",
    "InvalidActionException": "InvalidAction",
    **{
        name: f"AWS.SimpleQueueService.{name}"
        for name in (
            "BatchEntryIdsNotDistinct",
            "BatchRequestTooLong",
            "EmptyBatchRequest",
            "InvalidBatchEntryId",
            "MessageNotInflight",
            "PurgeQueueInProgress",
            "QueueDeletedRecently",
            "TooManyEntriesInBatchRequest",
            "UnsupportedOperation",
        )
    },
}


class SqsError(Exception):
    """What SQS answers instead of a result.

    Args:
        code: The name of the error's shape.
        message: The text for a person.
        status: The HTTP status.
        sender: Whether the caller is to blame.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, sender: bool = True) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.sender = code, message, status, sender

    @property
    def query_code(self) -> str:
        """The code as the query protocol and the entries of a batch name it."""
        return _QUERY_CODES.get(self.code, self.code)

    def entry(self, entry_id: str) -> dict[str, Any]:
        """The failed entry of a batch."""
        return {"Id": entry_id, "SenderFault": self.sender, "Code": self.query_code, "Message": self.message}


def invalid(message: str) -> SqsError:
    """A parameter has a value that SQS does not take."""
    return SqsError("InvalidParameterValueException", message)


def missing(parameter: str) -> SqsError:
    """A parameter that SQS needs is not there."""
    return SqsError("MissingRequiredParameterException", f"The request must contain the parameter {parameter}.")


def no_such_queue() -> SqsError:
    """The queue is not there."""
    return SqsError("QueueDoesNotExist", "The specified queue does not exist.")

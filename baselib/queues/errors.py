"""What an operator is told when something cannot be done: one line, whatever library it came from."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})
_KNOWN: Final = {
    **dict.fromkeys(("NonExistentQueue", "QueueDoesNotExist"), "there is no such queue in this region and account"),
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "RequestExpired"), "the AWS credentials have expired: log in again"
    ),
    **dict.fromkeys(
        ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"),
        "AWS does not know these credentials",
    ),
}


class QueueError(Exception):
    """Something could not be done; its text is one line that says what and why."""


class UsageError(QueueError):
    """The command was given something that it cannot work with, or nobody could be asked."""


def code_of(error: Any) -> str:
    """The code of an error of botocore's, without the name space that the older protocol puts before it."""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition(".")[2]


def denied(error: Any) -> bool:
    """Whether an error of botocore's says that a permission is missing."""
    return code_of(error) in _DENIED


def no_sqs(error: Any) -> bool:
    """Whether the answer was none of SQS's: botocore then takes the status of HTTP for the code."""
    return code_of(error).isdigit()


@contextlib.contextmanager
def explained(what: str = "") -> Iterator[None]:
    """Turn the errors of AWS's libraries into a `QueueError`.

    Args:
        what: What the calls are about, such as the name of a queue; before the reason when it is not empty.

    Raises:
        QueueError: A call failed.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the client loads it anyway

    from baselib.aws import CredentialPolicyError, DeadlineExceededError  # noqa: PLC0415

    try:
        yield
    except (ClientError, BotoCoreError, CredentialPolicyError, DeadlineExceededError) as error:
        reason = reason_of(error)
        raise QueueError(f"{what}: {reason}" if what else reason) from error


def reason_of(error: Exception) -> str:
    """Why a call failed, in one line.

    Args:
        error: What the call raised.
    """
    from botocore.exceptions import ClientError, NoCredentialsError, PartialCredentialsError  # noqa: PLC0415

    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "no AWS credentials: log in, or set AWS_PROFILE"
    if not isinstance(error, ClientError):
        return " ".join(str(error).split())
    code, operation = code_of(error), f"sqs:{error.operation_name}"
    said = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    if code in _DENIED:
        return f"not allowed: these credentials need {operation} ({said})"
    if no_sqs(error):
        return f"{operation} was answered with HTTP status {code}, and not by SQS"
    return _KNOWN.get(code) or f"{operation} failed: {code}: {said}"

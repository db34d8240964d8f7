"""Whether SQS may have taken what a call that failed was to send.

botocore tries a call up to four times, and what it raises says how the last attempt ended. An earlier one may have
broken off after SQS had the messages, so each is watched (https://docs.aws.amazon.com/boto3/latest/guide/events.html).
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, Final

_EVENT: Final = "needs-retry.sqs"
_ID: Final = "baselib-sending"


class Attempts:
    """The attempts of one call.

    Attributes:
        unanswered: Whether one of them left it open what became of the messages.
    """

    def __init__(self) -> None:
        self.unanswered = False


_thread: Final = threading.local()


@contextlib.contextmanager
def watched(client: Any) -> Iterator[Attempts]:
    """Watch the attempts of the call that this thread makes inside of the block.

    Args:
        client: The boto3 SQS client that makes it.
    """
    client.meta.events.register(_EVENT, _attempted, unique_id=_ID)
    attempts = _thread.attempts = Attempts()
    try:
        yield attempts
    finally:
        _thread.attempts = None


def _attempted(response: Any = None, caught_exception: BaseException | None = None, **_: object) -> None:
    attempts: Attempts | None = getattr(_thread, "attempts", None)
    if attempts is None:
        return
    if response is None:
        attempts.unanswered |= not _never_left(caught_exception)
        return
    http, parsed = response
    # Below 500 SQS has decided: it took the messages or refused them. What it throttles it has refused.
    if http.status_code >= 500 and "throttl" not in str(parsed.get("Error", {}).get("Code")).lower():
        attempts.unanswered = True


def _never_left(error: BaseException | None) -> bool:
    from botocore.exceptions import (  # noqa: PLC0415 - loaded already, here
        ConnectTimeoutError,
        EndpointConnectionError,
        NoCredentialsError,
        ProxyConnectionError,
        SSLError,
    )

    from baselib.aws import DeadlineExceededError  # noqa: PLC0415

    kinds = (
        ConnectTimeoutError,
        DeadlineExceededError,
        EndpointConnectionError,
        NoCredentialsError,
        ProxyConnectionError,
        SSLError,
    )
    return isinstance(error, kinds)

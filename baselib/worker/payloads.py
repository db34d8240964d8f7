"""Bodies that were too large for SQS, and that their senders put into S3.

>>> fetched({"Body": "hello"}, bucket=None)
Fetched(body='hello', cleanup=None)
"""

import contextlib
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from baselib import aws
from baselib.worker.message import Reject, attributes_of
from baselib.worker.pointers import SIZE_ATTRIBUTES, Pointer
from baselib.worker.sending.storage import configure_payloads, remove

__all__ = ["MAXIMUM_PAYLOAD_BYTES", "Fetched", "PayloadError", "configure_payloads", "fetched", "followed"]

MAXIMUM_PAYLOAD_BYTES: Final = 256 * 1024 * 1024
"""How large a body may be unless a worker says otherwise; while it is read, it is in memory up to three times."""

_SIZE: Final = re.compile(r"[0-9]{1,15}")
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_READ_ATTEMPTS: Final = 2


class PayloadError(Reject):
    """A message whose body is not where it says, or where a message may not point."""


class Fetched(NamedTuple):
    """A body.

    Attributes:
        body: Its text.
        cleanup: Removes it from S3; to be called when the message has been deleted, and not before. It never raises.
            None when the body was in the message.
    """

    body: str
    cleanup: Callable[[], None] | None


def fetched(raw: Mapping[str, Any], bucket: str | None, *, maximum_bytes: int = MAXIMUM_PAYLOAD_BYTES) -> Fetched:
    """The body of a message, wherever it is.

    Args:
        raw: The message as SQS gives it.
        bucket: The only bucket that is read, whatever the message says; none is when None.
        maximum_bytes: How large a body may be.

    Raises:
        PayloadError: There is no such body, or the message points where it may not.
        botocore.exceptions.BotoCoreError: S3 did not answer; it may the next time.
        botocore.exceptions.ClientError: S3 refused; it may not the next time.
    """
    return followed(raw["Body"], attributes_of(raw), bucket, maximum_bytes=maximum_bytes)


def followed(
    body: str, attributes: Mapping[str, str], bucket: str | None, *, maximum_bytes: int = MAXIMUM_PAYLOAD_BYTES
) -> Fetched:
    """The body that a body points to; the body itself when it is not a pointer.

    What makes it a pointer is the attribute with the size: a body that merely looks like one is left alone.

    Args:
        body: The body of a message, or of what was in an envelope.
        attributes: Its string attributes.
        bucket: The only bucket that is read; none is when None.
        maximum_bytes: How large a body may be.

    Raises:
        PayloadError: As `fetched`.
        botocore.exceptions.BotoCoreError: As `fetched`.
        botocore.exceptions.ClientError: As `fetched`.
    """
    name = next((name for name in SIZE_ATTRIBUTES if name in attributes), None)
    if name is None:
        return Fetched(body, None)
    pointer = _allowed(Pointer.read(body), name, bucket)
    size = attributes[name]
    if not _SIZE.fullmatch(size) or int(size) > maximum_bytes:
        raise PayloadError(f"the body in S3 is said to have {size[:20]!r} bytes: accepted are 0 to {maximum_bytes}")
    return Fetched(_read(pointer, int(size)), functools.partial(remove, pointer))


def _allowed(pointer: Pointer | None, name: str, bucket: str | None) -> Pointer:
    """The pointer, if it is one that may be followed; a sender could otherwise have anything read that the role may."""
    if pointer is None:
        raise PayloadError(f"the message has the attribute {name}, and its body is no pointer to S3")
    if bucket is None:
        raise PayloadError("the body is in S3, and PAYLOAD_BUCKET is not set")
    if pointer.bucket != bucket:
        raise PayloadError(f"the body is in another bucket than {bucket}, which is the only one that is read")
    if not pointer.well_formed:
        raise PayloadError("the body's key in S3 is not 1 to 1,024 letters, digits, or any of . _ / -")
    return pointer


def _read(pointer: Pointer, size: int) -> str:
    from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError  # noqa: PLC0415 - seldom needed

    attempt = 1
    while True:
        try:
            answer = aws.client("s3").get_object(Bucket=pointer.bucket, Key=pointer.key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
            told = (
                f"no object {pointer.key!r} in {pointer.bucket}: the message was handled already, or the object expired"
            )
            raise PayloadError(told) from error
        with contextlib.closing(answer["Body"]) as stream:
            if answer["ContentLength"] != size:
                told = f"the body in S3 has {answer['ContentLength']} bytes, and the message says {size}"
                raise PayloadError(told)
            try:
                return str(stream.read(), "utf-8")
            except UnicodeDecodeError:
                # From None, because that error holds the body.
                raise PayloadError("the body in S3 is not UTF-8") from None
            except (HTTPClientError, IncompleteReadError):
                # botocore tries the call again, but not the reading of what it streams.
                if attempt == _READ_ATTEMPTS:
                    raise
                attempt += 1

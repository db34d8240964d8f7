"""Where the bodies go that are too large for SQS."""

import functools
import logging
import os
from typing import Final
from uuid import uuid4

from baselib import aws
from baselib.contract import Settings
from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import PAYLOADS_LEFT
from baselib.worker.limits import MAXIMUM_BYTES
from baselib.worker.pointers import Pointer

_logger = logging.getLogger("baselib.worker")

_VARIABLE: Final = "PAYLOAD_BUCKET"
_TEXT: Final = "text/plain; charset=utf-8"


class PayloadStorage:
    """The bucket for large bodies. It is neither listed nor looked up.

    Args:
        bucket: The bucket's name.
        prefix: What the keys begin with, before a slash.
        threshold_bytes: The size of a message above which its body goes to S3; at most what SQS accepts.

    Raises:
        ValueError: SQS would not accept what is to go there.
    """

    def __init__(self, bucket: str, prefix: str, threshold_bytes: int = MAXIMUM_BYTES) -> None:
        if not 0 <= threshold_bytes <= MAXIMUM_BYTES:
            raise ValueError(f"threshold_bytes is {threshold_bytes}: accepted is 0 to {MAXIMUM_BYTES}, SQS's limit")
        self._bucket = bucket
        self._prefix = prefix
        self.threshold_bytes = threshold_bytes

    def pointer(self) -> Pointer:
        """A place for one more body; nothing is there yet. Nobody can guess its key."""
        return Pointer(self._bucket, f"{self._prefix}/{uuid4()}")


def put(pointer: Pointer, body: str) -> None:
    """Write a body to its place.

    Args:
        pointer: The place.
        body: The body.

    Raises:
        botocore.exceptions.BotoCoreError: S3 did not answer.
        botocore.exceptions.ClientError: S3 refused.
    """
    aws.client("s3").put_object(Bucket=pointer.bucket, Key=pointer.key, Body=body.encode(), ContentType=_TEXT)


def remove(pointer: Pointer) -> None:
    """Remove a body that nobody needs any more; what goes wrong is logged and counted.

    Args:
        pointer: Its place.
    """
    try:
        aws.client("s3").delete_object(Bucket=pointer.bucket, Key=pointer.key)
    except Exception as error:  # noqa: BLE001 - the message itself is done; the bucket's lifecycle rule takes the object
        metrics.incr(PAYLOADS_LEFT.name)
        _logger.warning("payload left in S3", extra={"key": pointer.key, "reason": str(error)})


_configured: list["PayloadStorage | None"] = []


def configure_payloads(settings: Settings | None, *, threshold_bytes: int = MAXIMUM_BYTES) -> None:
    """Put large bodies from now on where the settings say.

    Without this the variables of the process say it.

    Args:
        settings: Name the bucket, and the service, whose repository's name begins the keys. None for the variables of
            the process.
        threshold_bytes: The size of a message above which its body goes to S3; at most what SQS accepts.

    Raises:
        ValueError: The threshold is more than SQS accepts.
    """
    _configured[:] = [] if settings is None else [_storage(settings, threshold_bytes)]


def payload_storage() -> PayloadStorage | None:
    """Where large bodies go; None when no bucket is set.

    Raises:
        ConfigurationError: `PAYLOAD_BUCKET` is set, and a variable is wrong or missing.
    """
    if _configured:
        return _configured[0]
    bucket = os.environ.get(_VARIABLE)
    return _storage_of_environment(bucket) if bucket else None


@functools.lru_cache(maxsize=1)
def _storage_of_environment(_bucket: str) -> PayloadStorage | None:
    return _storage(Settings.from_environment(os.environ), MAXIMUM_BYTES)


def _storage(settings: Settings, threshold_bytes: int) -> PayloadStorage | None:
    bucket = settings.payload_bucket
    return PayloadStorage(bucket, settings.name.repository, threshold_bytes) if bucket else None

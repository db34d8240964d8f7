"""Objects of an S3 bucket, kept in memory for as long as S3 says that they have not changed.

A conditional GET that finds nothing new costs a GET and no transfer. Buckets are neither listed nor looked up: for a
service that asks for a bucket before each GET, those listings are most of the bill.
"""

import contextlib
import threading
import time
from collections import OrderedDict
from typing import Any, Final, Literal, NamedTuple

from baselib.aws.clients import client
from baselib.aws.flight import Flight, LeaderGaveUpError
from baselib.concurrency import renew_after_fork
from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import AWS_OBJECT_READS

# So that empty objects are bounded too.
_MAXIMUM_OBJECTS: Final = 10_000
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_READ_ATTEMPTS: Final = 2
_TAGS: Final = {result: {"result": result} for result in ("hit", "revalidated", "miss")}


class ObjectNotFoundError(KeyError):
    """There is no object of that key in the bucket."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__(key)
        self.bucket = bucket
        self.key = key

    def __str__(self) -> str:
        return f"no object {self.key!r} in bucket {self.bucket}"


class _Held(NamedTuple):
    etag: str
    body: bytes
    checked: float


class Objects:
    """Reads and writes the objects of a bucket, through a cache shared by the threads of this process.

    Args:
        bucket: The bucket's name.
        maximum_bytes: How many bytes of objects are kept, the least recently used going first. A larger object is
            read each time. At most 10,000 objects are kept, whatever their size.
        fresh_for: Seconds in which an object is given out again without asking S3 whether it has changed; 0 asks each
            time.
        region: The bucket's region where it is not the service's own.

    Raises:
        ValueError: A bound is negative.
    """

    def __init__(
        self, bucket: str, *, maximum_bytes: int = 32 * 1024 * 1024, fresh_for: float = 0.0, region: str | None = None
    ) -> None:
        if maximum_bytes < 0 or fresh_for < 0:
            raise ValueError("maximum_bytes and fresh_for must not be negative")
        self._bucket = bucket
        self._maximum_bytes = maximum_bytes
        self._fresh_for = fresh_for
        self._region = region
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._bytes = 0
        self.after_fork()
        renew_after_fork(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._bucket!r})"

    def after_fork(self) -> None:
        """Keep what is held, unless a thread that is gone was about to change it."""
        lock: threading.Lock | None = getattr(self, "_lock", None)
        if lock is not None and lock.locked():
            self._held, self._bytes = OrderedDict(), 0
        self._lock = threading.Lock()
        self._flights: dict[str, Flight[_Held]] = {}

    @property
    def held_bytes(self) -> int:
        """How many bytes of objects are in memory."""
        return self._bytes

    def get(self, key: str) -> bytes:
        """The object, as S3 has it now or had it within `fresh_for` seconds.

        Threads that ask for one key at the same time share one call.

        Args:
            key: The object's key.

        Raises:
            ObjectNotFoundError: There is none. S3 says this only to a role that may list the bucket; another one gets
                a ClientError `AccessDenied`.
            DeadlineExceededError: The work in hand has no time left.
            botocore.exceptions.ClientError: S3 refused.
        """
        while True:
            with self._lock:
                held = self._held.get(key)
                if held is not None:
                    self._held.move_to_end(key)
                    if time.monotonic() - held.checked < self._fresh_for:
                        break
                flight = self._flights.get(key)
                leading = flight is None
                if flight is None:
                    flight = self._flights[key] = Flight()
            if leading:
                return self._fetch(key, held, flight)
            try:
                held = flight.wait(f"{key!r} of {self._bucket}")
            except LeaderGaveUpError:
                continue
            break
        _count("hit")
        return held.body

    def put(self, key: str, body: bytes, **options: Any) -> None:
        """Write an object, and keep it.

        Args:
            key: The object's key.
            body: Its content.
            options: Further parameters of S3's PutObject, such as `ContentType`.

        Raises:
            TypeError: The content is not bytes.
            DeadlineExceededError: The work in hand has no time left.
            botocore.exceptions.ClientError: S3 refused.
        """
        if not isinstance(body, bytes):
            raise TypeError(f"the content of an object is bytes, not {type(body).__name__}")
        asked = time.monotonic()
        try:
            answer = self._s3().put_object(Bucket=self._bucket, Key=key, Body=body, **options)
        except BaseException:
            # It may have been written all the same.
            self.forget(key)
            raise
        with self._lock:
            self._flights.pop(key, None)
            self._hold(key, _Held(answer["ETag"], body, asked))

    def forget(self, key: str) -> None:
        """Drop an object from memory; the next `get` reads it."""
        with self._lock:
            # What is being read at this moment may be older, so that it is not kept either.
            self._flights.pop(key, None)
            self._drop(key)

    def _s3(self) -> Any:
        return client("s3", region=self._region)

    def _fetch(self, key: str, held: _Held | None, flight: Flight[_Held]) -> bytes:
        keep = held
        try:
            keep = flight.carry_out(lambda: self._ask(key, held))
        except ObjectNotFoundError:
            keep = None
            raise
        else:
            return keep.body
        finally:
            with self._lock:
                # Unless something was written meanwhile, which is newer than what was read.
                if self._flights.get(key) is flight:
                    del self._flights[key]
                    self._hold(key, keep)

    def _ask(self, key: str, held: _Held | None) -> _Held:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - a client of S3 loads it anyway

        asked = time.monotonic()
        try:
            etag, body = self._read(key, {"IfNoneMatch": held.etag} if held else {})
        except ClientError as error:
            if held is not None and error.response["ResponseMetadata"]["HTTPStatusCode"] == 304:
                _count("revalidated")
                return held._replace(checked=asked)
            if error.response["Error"]["Code"] in _MISSING:
                raise ObjectNotFoundError(self._bucket, key) from error
            raise
        _count("miss")
        return _Held(etag, body, asked)

    def _read(self, key: str, condition: dict[str, str]) -> tuple[str, bytes]:
        from botocore.exceptions import HTTPClientError, IncompleteReadError  # noqa: PLC0415

        attempt = 1
        while True:
            answer = self._s3().get_object(Bucket=self._bucket, Key=key, **condition)
            try:
                with contextlib.closing(answer["Body"]) as body:
                    return answer["ETag"], body.read()
            except (HTTPClientError, IncompleteReadError):
                # botocore tries the call again, but not the reading of what it streams.
                if attempt == _READ_ATTEMPTS:
                    raise
                attempt += 1

    def _hold(self, key: str, found: _Held | None) -> None:
        self._drop(key)
        if found is None or len(found.body) > self._maximum_bytes:
            return
        self._held[key] = found
        self._bytes += len(found.body)
        while self._bytes > self._maximum_bytes or len(self._held) > _MAXIMUM_OBJECTS:
            self._drop(next(iter(self._held)))

    def _drop(self, key: str) -> None:
        dropped = self._held.pop(key, None)
        if dropped is not None:
            self._bytes -= len(dropped.body)


def _count(result: Literal["hit", "revalidated", "miss"]) -> None:
    metrics.incr(AWS_OBJECT_READS.name, tags=_TAGS[result])

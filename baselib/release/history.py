"""Which releases came to run: a file beside the environment's Terraform state.

ECS knows the revisions of a task definition, but not which of them ever ran, and of a cron job it has no deployments.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from baselib.release.errors import ReleaseError, explained
from baselib.release.place import Place

_KEPT: Final = 100
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """A release that came to run.

    Attributes:
        digest: The image.
        version: What the image was called when it was released, its tag for instance.
        at: When, in RFC 3339.
        rolled_back: Whether somebody went back from it since.
    """

    digest: str
    version: str
    at: str
    rolled_back: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """The releases of a service in an environment, the oldest first.

    Attributes:
        client: boto3's client of S3.
        place: The service in the environment.
    """

    client: Any
    place: Place

    @property
    def key(self) -> str:
        """The file within the state's bucket."""
        return f"{self.place.key.removesuffix('.tfstate')}.releases.json"

    def entries(self) -> list[Entry]:
        """All that are known.

        Raises:
            ReleaseError: They cannot be read.
        """
        return self._read()[0]

    def before(self, running: str | None) -> Entry:
        """The release to go back to.

        Args:
            running: The digest or tag that runs now.

        Raises:
            ReleaseError: None is known.
        """
        good = [entry for entry in self.entries() if not entry.rolled_back]
        while good and running in {good[-1].digest, good[-1].version}:
            good.pop()
        if not good:
            raise ReleaseError(
                f"no earlier release of {self.place.name.repository} in {self.place.environment} is known; "
                "--to VERSION says which"
            )
        return good[-1]

    def version_of(self, digest: str) -> str | None:
        """What an image was called when it was released last; None when that is not known.

        Raises:
            ReleaseError: They cannot be read.
        """
        return next((entry.version for entry in reversed(self.entries()) if entry.digest == digest), None)

    def released(self, digest: str, version: str) -> None:
        """Add what runs now.

        Raises:
            ReleaseError: It cannot be written.
        """

        def added(entries: list[Entry]) -> list[Entry]:
            again = entries and entries[-1].digest == digest and not entries[-1].rolled_back
            return entries if again else [*entries, Entry(digest, version, _now())]

        self._change(added)

    def returned_to(self, digest: str, version: str, left: str | None) -> None:
        """Mark what came after a release as left; one that is not known becomes the newest.

        Args:
            digest: The image that runs again.
            version: What it was called.
            left: The digest or tag that ran until then.

        Raises:
            ReleaseError: It cannot be written.
        """

        def marked(entries: list[Entry]) -> list[Entry]:
            last = max((number for number, entry in enumerate(entries) if entry.digest == digest), default=None)
            if last is None:
                # Nobody knows before which of them it ran.
                before = [
                    replace(entry, rolled_back=entry.rolled_back or left in {entry.digest, entry.version})
                    for entry in entries
                ]
                return [*before, Entry(digest, version, _now())]
            return [
                replace(entry, rolled_back=number > last or (entry.rolled_back and number < last))
                for number, entry in enumerate(entries)
            ]

        self._change(marked)

    def _change(self, change: Any) -> None:
        from botocore.exceptions import ClientError  # noqa: PLC0415

        with explained(f"write s3://{self.place.bucket}/{self.key}"):
            for _ in range(_ATTEMPTS):
                entries, tag = self._read()
                body = json.dumps([asdict(entry) for entry in change(entries)[-_KEPT:]], indent=1).encode()
                # Of two at a time one reads again: neither loses what the other wrote.
                condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
                try:
                    self.client.put_object(Bucket=self.place.bucket, Key=self.key, Body=body, **condition)
                except ClientError as error:
                    if error.response["Error"]["Code"] not in {"PreconditionFailed", "ConditionalRequestConflict"}:
                        raise
                else:
                    return
        raise ReleaseError(f"s3://{self.place.bucket}/{self.key} is written by others all the time")

    def _read(self) -> tuple[list[Entry], str | None]:
        with explained(f"read s3://{self.place.bucket}/{self.key}"):
            try:
                answer = self.client.get_object(Bucket=self.place.bucket, Key=self.key)
            except self.client.exceptions.NoSuchKey:
                return [], None
            text = answer["Body"].read()
        try:
            return [Entry(**entry) for entry in json.loads(text)], answer["ETag"]
        except (ValueError, TypeError) as error:
            raise ReleaseError(f"s3://{self.place.bucket}/{self.key} holds no list of releases: {error}") from error


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

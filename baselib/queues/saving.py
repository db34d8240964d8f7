"""Messages in a file, one object of JSON a line."""

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

from baselib.queues.batches import Raw
from baselib.queues.errors import QueueError, UsageError

_MODE: Final = 0o600


class MessageFile:
    """A new file that only its owner may read, because bodies are in it as they are.

    Args:
        path: Where; nothing may be there.

    Attributes:
        saved: How many messages are on the disk.

    Raises:
        UsageError: Something is there already, or the folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.saved = 0
        self._path = path
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
            # The file's name has to survive a crash too.
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except FileExistsError:
            raise UsageError(f"{path} is there already: nothing is written over") from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
        if not self.saved:
            self._path.unlink(missing_ok=True)

    def save(self, raws: Sequence[Raw]) -> None:
        """Write messages; when it returns they are on the disk.

        Args:
            raws: Messages as boto3 gives them.

        Raises:
            QueueError: They could not be written; the file holds what it held before.
        """
        lines = "".join(f"{json.dumps(_saved(raw), default=_binary)}\n" for raw in raws).encode()
        end = os.lseek(self._file, 0, os.SEEK_CUR)
        try:
            written = 0
            while written < len(lines):
                written += os.write(self._file, lines[written:])
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, end)
            raise QueueError(f"{self._path} cannot be written: {error.strerror}") from error
        self.saved += len(raws)


def _saved(raw: Raw) -> dict[str, Any]:
    return {
        "id": raw["MessageId"],
        "body": raw["Body"],
        "attributes": raw.get("MessageAttributes", {}),
        "system_attributes": raw.get("Attributes", {}),
    }


def _binary(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no JSON")

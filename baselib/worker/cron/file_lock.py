"""A lock between the processes of one machine: a locked file, which the kernel frees when its holder ends.

Source: https://man7.org/linux/man-pages/man2/flock.2.html
"""

import contextlib
import fcntl
import json
import os
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from baselib.worker.cron.last_resort import LastResort
from baselib.worker.cron.lock import Holder, LockUnavailableError


class FileLock:
    """A locked file in the folder for temporary files.

    The file stays when it is unlocked: to delete it would give two runs a file each, and it holds the fencing token.
    Child processes that the run forked keep the lock until they end too.

    Args:
        name: What tells it from other locks of the same user.
        folder: Where it is; the folder for temporary files when None.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        place = Path(tempfile.gettempdir()) if folder is None else folder
        # Each user has his own: he could not open another's.
        self._path = place / f"baselib-{os.getuid()}-{re.sub('[^A-Za-z0-9._-]', '_', name)}.lock"
        self._file: int | None = None
        self.token: int | None = None

    def acquire(self, holder: str) -> Holder | None:
        """Take it; who has it, when another process does.

        Args:
            holder: What another run is told of this one.

        Raises:
            LockUnavailableError: The file cannot be opened.
        """
        try:
            # Whoever may write to the folder must not lead us to another file.
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LockUnavailableError(f"the lock {self._path} cannot be opened: {error.strerror}") from error
        try:
            return self._lock(file, holder)
        finally:
            if self._file != file:
                os.close(file)

    def keep(self, lost: Callable[[str], object], last_resort: LastResort) -> None:
        """Nothing has to be done: the kernel keeps it."""

    def release(self) -> None:
        """Unlock it."""
        file, self._file = self._file, None
        if file is not None:
            # Not only closed: a child that goes on for some other reason may have it open.
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_UN)
            os.close(file)

    def _lock(self, file: int, holder: str) -> Holder | None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = _read(file)
            return Holder(str(told.get("holder", "unknown")), str(told.get("since", "unknown")))
        except OSError as error:
            raise LockUnavailableError(f"the lock {self._path} cannot be taken: {error.strerror}") from error
        before = _read(file).get("token")
        self.token = (before if isinstance(before, int) else 0) + 1
        told = {"token": self.token, "holder": holder, "since": datetime.now(UTC).isoformat(timespec="milliseconds")}
        text = json.dumps(told).encode()
        try:
            os.pwrite(file, text, 0)
            os.ftruncate(file, len(text))
        except OSError as error:
            raise LockUnavailableError(f"the lock {self._path} cannot be written: {error.strerror}") from error
        self._file = file
        return None


def _read(file: int) -> dict[str, object]:
    with contextlib.suppress(ValueError):
        told = json.loads(os.pread(file, 4096, 0))
        if isinstance(told, dict):
            return told
    # New, or being written at this moment.
    return {}

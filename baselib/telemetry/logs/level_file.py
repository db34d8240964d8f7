"""The file through which an operator in the container reaches every process of the service.

It stands in memory, where the container has a place to write even with a read-only root, and needs no port. Only what
root or this user wrote, and nobody else may change, is believed. Times are those of the machine's monotonic clock,
which all processes share.
"""

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

MOST_SECONDS: Final = 86_400
LEVEL_NAMES: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# Anybody may write there, which is why owners are looked at.
_FOLDERS: Final = ("/dev/shm", "/tmp")  # noqa: S108
_MOST_BYTES: Final = 100_000
_MOST_CHANGES: Final = 100


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A logger's level for a time.

    Args:
        logger: The logger's name.
        level: The level's name.
        since: When it began, by the monotonic clock.
        until: When it ends.
    """

    logger: str
    level: str
    since: float
    until: float


def level_path(service: str, ports: Sequence[int]) -> Path:
    """Where the processes of a service look.

    Args:
        service: The service's name, such as `duolingo-api`.
        ports: Its ports, because several may run on a developer's machine.
    """
    folder = next((memory for memory in _FOLDERS if os.access(memory, os.W_OK)), _FOLDERS[0])
    return Path(folder, "-".join(("baselib", service, *map(str, ports))), "levels.json")


class LevelFile:
    """Reads and writes the changes asked for.

    Args:
        path: The file; its folder is made when it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._changes: Sequence[LevelChange] = ()

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            PermissionError: It belongs to somebody else.
            OSError: It cannot be made.
        """
        with contextlib.suppress(FileExistsError):
            self.path.parent.mkdir(mode=0o755)
        found = self.path.parent.lstat()
        if not stat.S_ISDIR(found.st_mode) or not _trusted(found):
            raise PermissionError(f"{self.path.parent} belongs to another user, or others may write to it")

    def changes(self) -> Sequence[LevelChange]:
        """What is asked for now; nothing when there is no file that can be believed."""
        try:
            if not _trusted(self.path.parent.lstat()):
                return ()
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            self._seen, self._changes = None, ()
            return ()
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if seen != self._seen:
                self._seen = seen
                believed = stat.S_ISREG(found.st_mode) and _trusted(found) and found.st_size <= _MOST_BYTES
                self._changes = _parsed(file.read(_MOST_BYTES)) if believed else ()
        return self._changes

    def add(self, change: LevelChange) -> None:
        """Ask for a change, or take back those of a logger with one that has already ended.

        Raises:
            OSError: The file cannot be written.
        """
        self.prepare()
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # Two operators at once.
            fcntl.flock(folder, fcntl.LOCK_EX)
            now = time.monotonic()
            over = change.until <= change.since
            kept = [each for each in self.changes() if each.until > now and not (over and each.logger == change.logger)]
            if not over:
                kept.append(change)
            written = self.path.with_suffix(f".{os.getpid()}")
            with contextlib.suppress(FileNotFoundError):
                written.unlink()
            # Not to be written by others, but to be read by workers that run as another user.
            target = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            with os.fdopen(target, "w", encoding="ascii") as file:
                os.fchmod(target, 0o644)
                json.dump([asdict(each) for each in kept[-_MOST_CHANGES:]], file)
            written.replace(self.path)
        finally:
            os.close(folder)


def _trusted(found: os.stat_result) -> bool:
    return found.st_uid in {0, os.geteuid()} and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _parsed(text: bytes) -> Sequence[LevelChange]:
    latest = time.monotonic() + MOST_SECONDS
    try:
        return [
            LevelChange(str(each["logger"]), each["level"], float(each["since"]), float(each["until"]))
            for each in json.loads(text)
            if each["level"] in LEVEL_NAMES and each["until"] <= latest
        ]
    except (ValueError, TypeError, LookupError, RecursionError):
        return ()

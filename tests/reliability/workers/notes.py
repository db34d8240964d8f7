"""What the disturbed workers note down themselves, in one file for all of them: who received, began and ended what."""

import os
import time
from pathlib import Path
from typing import Final, NamedTuple

RECEIVED: Final = "received"
BEGUN: Final = "begun"
DONE: Final = "done"
FAILED: Final = "failed"


class Note(NamedTuple):
    """One thing that a worker did.

    Attributes:
        time: When, in seconds since 1970.
        process: The worker's process id.
        what: One of this module's names.
        message: The message's id.
        receive_count: How often it had been received then, which makes each receipt another one.
        body: The message's body.
    """

    time: float
    process: int
    what: str
    message: str
    receive_count: int
    body: str


class Notes:
    """A file to which processes append, each line in one write, so that a SIGKILL cuts none in half.

    Args:
        file: It is made where it is not there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, what: str, *entries: tuple[str, int, str]) -> None:
        """Note the same of some messages: their ids, receive counts and bodies."""
        start = f"{time.time():.6f}\t{os.getpid()}\t{what}\t"
        lines = [f"{start}{message}\t{count}\t{body}\n" for message, count, body in entries]
        os.write(self._descriptor, "".join(lines).encode())

    def read(self) -> list[Note]:
        """All of them, in order."""
        found = []
        for line in self._file.read_text(encoding="utf-8").splitlines():
            moment, process, what, message, count, body = line.split("\t", 5)
            found.append(Note(float(moment), int(process), what, message, int(count), body))
        return found

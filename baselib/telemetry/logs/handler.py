"""The handler: formats, counts, leaves out repetitions, and writes without ever failing or blocking its caller."""

import copy
import logging
import select
from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from baselib.telemetry.logs.counts import LINES
from baselib.telemetry.logs.output import PATIENCE_SECONDS, Output
from baselib.telemetry.logs.repeats import Repeats

# What a write to a pipe is atomic up to: https://man7.org/linux/man-pages/man7/pipe.7.html
_PIPE_BYTES: Final = select.PIPE_BUF


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes each record as one line, whatever happens to the stream.

    Args:
        stream: Where the lines go.
        repeats: Leaves out errors that repeat themselves; none are left out when None.
    """

    of_baselib = True

    def __init__(self, stream: TextIO, repeats: Repeats | None = None) -> None:
        super().__init__(stream)
        self._output = Output(stream)
        self._repeats = repeats
        self._stuck = False
        self._lost = 0

    def setStream(self, stream: TextIO) -> TextIO | None:  # noqa: N802 - the standard library's name
        """Write to another stream from now on; returns the one until now, None when it is the same."""
        before: TextIO | None = super().setStream(stream)
        self._output = Output(stream)
        return before

    def flush(self) -> None:
        """Do nothing: each line is flushed as it is written, and a stuck or closed stream would harm the caller."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Write the record, unless a filter refuses it or another thread is stuck in writing."""
        if self.filters:
            allowed = self.filter(record)
            if not allowed:
                return False
            if isinstance(allowed, logging.LogRecord):
                # Since Python 3.12 a filter may give another record.
                record = allowed
        if self._locked(1):
            try:
                self.emit(record)
            finally:
                self.release()
        return True

    def write_lines(self, level: int, lines: Sequence[str]) -> None:
        """Write lines that are formatted already, with as few writes as can be.

        Args:
            level: Their level.
            lines: The lines without their ends.
        """
        if not self._locked(len(lines)):
            return
        try:
            LINES.lines[level] += len(lines)
            if self._lost:
                self._tell_lost()
            for piece in _pieces(lines):
                if not self._output.write("\n".join(piece)):
                    self._lost += len(piece)
        except Exception:  # noqa: BLE001 - what is wrong with the stream is not the caller's matter
            self._lost += 1
        finally:
            self.release()

    def _locked(self, lines: int) -> bool:
        """Take the handler's lock; False, and the lines are lost, where another thread is stuck in writing."""
        lock = self.lock
        if lock is None or not (lock.acquire(False) or lock.acquire(timeout=0 if self._stuck else PATIENCE_SECONDS)):
            self._stuck = True
            self._lost += lines
            return False
        self._stuck = False
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; the handler's lock is held."""
        try:
            # `makeLogRecord` leaves a record without a level.
            level = record.levelno or logging.NOTSET
            if level >= logging.WARNING and self._repeats is not None:
                left_out = self._repeats.left_out(record)
                if left_out is None:
                    LINES.left_out[level] += 1
                    return
                if left_out:
                    record = _with_count(record, left_out)
            LINES.lines[level] += 1
            line = (self.formatter or self).format(record)
            if self._lost:
                self._tell_lost()
            if not self._output.write(line):
                self._lost += 1
        except RecursionError:
            # Telling of it would need a stack as well: https://bugs.python.org/issue36272
            self._lost += 1
        except Exception:  # noqa: BLE001 - a log call never fails its caller
            self.handleError(record)

    def _tell_lost(self) -> None:
        told = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "lost": self._lost}
        if self._output.write(self.format(logging.makeLogRecord({**told, "msg": "log lines were lost"}))):
            self._lost = 0


def _pieces(lines: Sequence[str]) -> Iterator[list[str]]:
    """Lines in pieces that a pipe takes as a whole, so that several processes can write to the same one."""
    piece: list[str] = []
    size = 0
    for line in lines:
        if piece and size + len(line) + 1 > _PIPE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(line)
        size += len(line) + 1
    if piece:
        yield piece


def _with_count(record: logging.LogRecord, left_out: int) -> logging.LogRecord:
    """A copy, because other handlers have the record too."""
    told = copy.copy(record)
    if "repeated" in told.__dict__:
        told.__dict__["repeated_"] = told.__dict__["repeated"]
    told.__dict__["repeated"] = left_out
    return told

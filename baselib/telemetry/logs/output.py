"""Writing to a stream whose reader may be slow, stuck or gone."""

import contextlib
import os
import select
import stat
from typing import Final, TextIO

# How long a line waits for a reader that stopped reading; the lines after it do not wait until it reads again.
PATIENCE_SECONDS: Final = 1.0


class Output:
    """Writes lines, and loses them rather than failing or blocking whoever logs.

    Docker gives a container a pipe as its standard output, and a log driver in blocking mode stops reading it:
    https://docs.docker.com/engine/logging/configure/#configure-the-delivery-mode-of-log-messages-from-container-to-log-driver

    Args:
        stream: Where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._pipe = _pipe(stream)
        self._stuck = False

    def write(self, line: str) -> bool:
        """Write a line and its end; False when it was lost.

        Args:
            line: The line without its end.
        """
        stream = self._stream
        if self._pipe is not None and not self._takes_more(self._pipe):
            return False
        try:
            stream.write(line + "\n")
            stream.flush()
        except UnicodeEncodeError:
            return self.write(line.encode("ascii", "backslashreplace").decode("ascii"))
        except BrokenPipeError:
            self._discard()
            return False
        except (OSError, ValueError):
            # The disk is full, or the stream closed.
            return False
        return True

    def _takes_more(self, pipe: select.poll) -> bool:
        ready = pipe.poll(0) or (not self._stuck and pipe.poll(PATIENCE_SECONDS * 1000))
        self._stuck = not ready
        return not self._stuck

    def _discard(self) -> None:
        """Nobody will ever read the pipe: let later lines, and Python's flush at the end, go nowhere without an error.

        As https://docs.python.org/3/library/signal.html#note-on-sigpipe advises.
        """
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        self._pipe = None


def _pipe(stream: TextIO) -> "select.poll | None":
    try:
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError, AttributeError):
        return None
    if not stat.S_ISFIFO(mode) and not stat.S_ISSOCK(mode):
        return None
    pipe = select.poll()
    # A closed one counts as ready, so that writing to it says so.
    pipe.register(descriptor, select.POLLOUT)
    return pipe

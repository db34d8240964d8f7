"""Processes of the demo, each with its output in a file."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

_T = TypeVar("_T")

PATH: Final = {"PATH": os.environ["PATH"]}
"""All that a process has of this one's variables."""


class Process:
    """A process that outlives the demo only when it is told to.

    Args:
        arguments: Its command line.
        environment: Variables besides the path.
        log: Where its output goes.
    """

    def __init__(self, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                arguments,
                env={**PATH, **environment},
                cwd=log.parent,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def id(self) -> int:
        """Its process id."""
        return self._process.pid

    def lines(self) -> list[dict[str, Any]]:
        """Its JSON log lines so far."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines() if line[:1] + line[-1:] == "{}"]
        return lines

    def log_line(self, message: str, **fields: Any) -> dict[str, Any] | None:
        """The last log line with a message and some fields."""
        return next(reversed(self.log_lines(message, **fields)), None)

    def log_lines(self, message: str, **fields: Any) -> list[dict[str, Any]]:
        """All log lines with a message and some fields."""
        wanted = {"message": message, **fields}.items()
        return [line for line in self.lines() if all(name in line and line[name] == value for name, value in wanted)]

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Wait for its end and return the exit code."""
        return self._process.wait(seconds)

    def check(self) -> None:
        """Raise RuntimeError with the end of its output if it has ended."""
        code = self._process.poll()
        if code is not None:
            end = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
            raise RuntimeError(f"{self.log.stem} ended with exit code {code}:\n{end}")

    def kill(self) -> None:
        """End it, whatever it does."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def until(condition: Callable[[], _T | None], what: str, *processes: Process, seconds: float = 40) -> _T:
    """Wait until a condition gives something true, and return it.

    Raises:
        RuntimeError: It did not within the time, or one of the processes ended.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        for process in processes:
            process.check()
        time.sleep(0.05)
    raise RuntimeError(f"{what}: not within {seconds:g} s")


def ask(url: str, body: Mapping[str, Any] | None = None) -> tuple[int, str, Mapping[str, str]] | None:
    """A request's status, text and headers; None when nobody answers."""
    data = json.dumps(body).encode() if body is not None else None
    request = Request(url, data, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode().strip(), dict(answer.headers)
    except HTTPError as error:
        return error.code, error.read().decode().strip(), dict(error.headers)
    except (URLError, OSError):
        return None

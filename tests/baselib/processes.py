"""Running a program as a process of its own, for every folder beside this one whose code is run that way."""

import contextlib
import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

from baselib import aws, data_stores, dns
from baselib.aws import clients
from baselib.health.registry import reset_all
from baselib.telemetry import metrics
from baselib.telemetry.logs import leave_uncaught
from baselib.telemetry.span import deactivate

_T = TypeVar("_T")

IDENTITY = {"SERVICE_PRODUCT": "duolingo", "SERVICE_NAME": "api", "SERVICE_OWNER": "platform", "LOG_FORMAT": "json"}

# Far longer than anything takes, because the machine may be busy with something else.
PATIENCE_SECONDS = 30.0


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def until(condition: Callable[[], _T | None], what: str, seconds: float = PATIENCE_SECONDS) -> _T:
    """Wait until a condition gives something true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"not within {seconds:g} s: {what}")


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str, seconds: float = PATIENCE_SECONDS) -> Answer | None:
    """A request on a connection of its own; None when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return Answer(response.status, response.read(), dict(response.headers.items()))
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def status(port: int, path: str) -> int | None:
    """The status that a server answers with; None when nobody answers."""
    answer = ask(port, path)
    return answer.status if answer else None


def descendants(process: int) -> set[int]:
    """The ids of the living processes below a process."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name in parentheses may hold spaces.
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(folder.name)] = int(parent)
    found: set[int] = set()
    new = {process}
    while new := {child for child, parent in parents.items() if parent in new | found} - found:
        found |= new
    return found


def alive(process: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Program:
    """A process with its output in two files, and no variable but those given.

    Args:
        arguments: What follows `python`.
        folder: Where it runs, and where its output goes.
        environment: Its variables besides the path.
    """

    def __init__(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._output, self._errors = folder / "program.out", folder / "program.err"
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                # A group of its own, so that Ctrl-C can be imitated and nothing is left behind.
                start_new_session=True,
            )

    @property
    def id(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def output(self) -> str:
        """Its standard output so far."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    @property
    def errors(self) -> str:
        """Its standard error so far."""
        return self._errors.read_text(encoding="utf-8", errors="replace")

    def logged(self, message: str) -> list[dict[str, Any]]:
        """Its JSON log lines with a message."""
        lines = [json.loads(line) for line in self.output.splitlines() if line[:1] + line[-1:] == "{}"]
        return [line for line in lines if line.get("message") == message]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        os.kill(self.id, number)

    def press_ctrl_c(self) -> None:
        """Do what a terminal does: SIGINT to the whole group."""
        os.killpg(self.id, signal.SIGINT)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for its end and return the exit code."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {seconds:g} s:\n{self.output[-4000:]}\n{self.errors[-4000:]}")

    def ready(self, condition: Callable[[], _T | None], what: str) -> _T:
        """Wait for a condition, or fail at once when the process has ended."""

        def found() -> _T | None:
            code = self._process.poll()
            if code is not None:
                pytest.fail(f"ended with {code} before: {what}\n{self.output[-4000:]}\n{self.errors[-4000:]}")
            return condition()

        return until(found, what)

    def kill(self) -> None:
        """End it and all that it started, whatever they do."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.id, signal.SIGKILL)
        self._process.wait()


Launch = Callable[..., Program]


@contextlib.contextmanager
def launching(folder: Path) -> Iterator[Launch]:
    """Starts `python -m baselib.cli ...` as often as it is called, and ends what is left."""
    programs: list[Program] = []

    def launch(*arguments: str, **environment: str) -> Program:
        home = folder / f"program-{len(programs)}" if programs else folder
        home.mkdir(exist_ok=True)
        programs.append(Program(["-m", "baselib.cli", *arguments], home, environment))
        return programs[-1]

    try:
        yield launch
    finally:
        for program in programs:
            program.kill()


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Undo what a service does to this process: logs, metrics, AWS clients, and a span that nobody has ended."""
    deactivate()
    root = logging.getLogger()
    level, target, prefix, tags = root.level, metrics._target, metrics._prefix, metrics._tags
    settings = clients._clients._settings
    try:
        yield
    finally:
        deactivate()
        for handler in [each for each in root.handlers if getattr(each, "of_baselib", False)]:
            root.removeHandler(handler)
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        leave_uncaught()
        logging.logThreads = logging.logProcesses = logging.logMultiprocessing = True
        metrics.configure(target, prefix=prefix, tags=tags)
        clients._clients._settings = settings
        aws.reset()
        data_stores.reset()
        reset_all()
        dns.uninstall()

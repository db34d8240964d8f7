"""Uncaught exceptions: one line of JSON instead of a raw stack, and a hook of somebody else's still called."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from baselib.telemetry.logs.uncaught import leave_uncaught, log_uncaught
from tests.baselib.processes import PATIENCE_SECONDS

START = """
import gc, logging, sys, threading
from baselib.contract import Settings
from baselib.telemetry.logs import configure_logs
{before}
configure_logs(Settings(product="duolingo", service="api", owner="platform", log_format="json"))
{after}
"""
UNRAISABLE = """
class Broken:
    def __del__(self):
        raise ValueError("wrong")
broken = Broken()
del broken
"""
THREAD = """
def fail():
    raise ValueError("wrong")
thread = threading.Thread(target=fail, name="worker-1")
thread.start()
thread.join()
"""


def _run(after: str, before: str = "") -> tuple[int, list[dict[str, Any]], str]:
    ran = subprocess.run(
        [sys.executable, "-c", START.format(before=before, after=after)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()], ran.stderr


def test_what_ends_the_process_is_one_line_and_the_exit_code_stays() -> None:
    code, (line,), errors = _run("raise ValueError('wrong')")
    assert (code, errors) == (1, "")
    assert (line["level"], line["message"], line["error.type"]) == ("CRITICAL", "uncaught exception", "ValueError")
    assert line["error.stack"].startswith("Traceback")


def test_what_ends_a_thread_is_one_line() -> None:
    code, (line,), errors = _run(THREAD)
    assert (code, errors) == (0, "")
    assert (line["level"], line["error.type"], line["thread_name"]) == ("ERROR", "ValueError", "worker-1")


def test_what_python_cannot_raise_is_one_line() -> None:
    code, (line,), errors = _run(UNRAISABLE)
    assert (code, errors) == (0, "")
    assert (line["level"], line["error.type"]) == ("ERROR", "ValueError")
    assert "Broken.__del__" in line["object"]


@pytest.mark.parametrize(
    ("module", "name", "after"),
    [
        ("sys", "excepthook", "raise ValueError"),
        ("threading", "excepthook", THREAD),
        ("sys", "unraisablehook", UNRAISABLE),
    ],
)
def test_a_hook_that_was_there_is_called_afterwards(module: str, name: str, after: str) -> None:
    hook = f"{module}.{name} = lambda *thrown: print('theirs', file=sys.stderr)"
    _, lines, errors = _run(after, before=hook)
    assert len(lines) == 1
    assert errors == "theirs\n"


def test_ctrl_c_and_exits_are_no_errors() -> None:
    assert _run("raise KeyboardInterrupt")[1] == []
    assert _run("raise SystemExit(75)") == (75, [], "")
    assert _run(THREAD.replace("ValueError", "SystemExit"))[1:] == ([], "")


def test_configuring_twice_logs_once() -> None:
    again = "configure_logs(Settings(product='duolingo', service='api', owner='platform', log_format='json'))\n"
    _, lines, _ = _run(again + "raise ValueError('wrong')")
    assert len(lines) == 1


@pytest.fixture
def unhooked() -> Iterator[None]:
    """Nothing of ours is in place, as at the start of a process, and all is given back afterwards."""
    leave_uncaught()
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    leave_uncaught()
    sys.excepthook, threading.excepthook, sys.unraisablehook = before


@pytest.mark.usefixtures("unhooked")
def test_the_hooks_are_given_back() -> None:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    log_uncaught()
    log_uncaught()
    assert sys.excepthook is not before[0]
    leave_uncaught()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


@pytest.mark.usefixtures("unhooked")
def test_a_hook_put_over_ours_stays() -> None:
    def theirs(*thrown: object) -> None:
        pass

    log_uncaught()
    sys.excepthook = theirs
    log_uncaught()
    leave_uncaught()
    assert sys.excepthook is theirs

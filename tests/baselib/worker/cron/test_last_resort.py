"""The end of a process in which no Python runs any more."""

import subprocess
import sys
import time

from baselib.worker.cron import last_resort

BEGIN = """
import itertools, sys, time
from baselib.worker.cron import last_resort
from baselib.worker.cron.last_resort import LastResort
"""
HOLD = "\nsum(itertools.repeat(1))"


def _run(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", BEGIN + script], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_ends_what_holds_the_interpreter_and_writes_where_that_is() -> None:
    ended = _run(f"LastResort().set('a', time.monotonic() + 0.2){HOLD}")
    assert ended.returncode == 70
    assert 'File "<string>", line 6' in ended.stderr


def test_the_earliest_moment_counts() -> None:
    resort = "resort = LastResort(); resort.set('a', time.monotonic() + 0.2); resort.set('b', time.monotonic() + 900)"
    assert _run(resort + HOLD).returncode == 70


def test_who_asks_may_change_his_mind() -> None:
    resort = "resort = LastResort(); resort.set('a', time.monotonic() + 0.1); resort.set('a', time.monotonic() + 900)"
    assert _run(f"{resort}\ntime.sleep(1.5)").returncode == 0


def test_a_moment_that_has_passed_is_now() -> None:
    assert _run(f"LastResort().set('a', 0){HOLD}").returncode == 70


def test_without_such_a_timer_the_exit_code_is_another() -> None:
    # As on a system whose C library has none.
    without = "import ctypes\nlast_resort.ctypes.CDLL = lambda *_, **__: object()\n"
    ended = _run(f"{without}LastResort().set('a', time.monotonic() + 0.2){HOLD}")
    assert ended.returncode == 1
    assert "Timeout" in ended.stderr


def test_closed_it_ends_nothing() -> None:
    script = "resort = LastResort(); resort.set('a', time.monotonic() + 0.2); resort.close()\n"
    late = "resort.set('a', time.monotonic() + 0.1)\ntime.sleep(1.5)"
    assert _run(script + late).returncode == 0


def test_it_is_closed_in_this_process_too() -> None:
    resort = last_resort.LastResort()
    resort.set("a", time.monotonic() + 600)
    resort.close()
    resort.close()

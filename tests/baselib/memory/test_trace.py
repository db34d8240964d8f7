"""What a process held, told in one line at its end; each test has a process of its own."""

import json
import signal
import subprocess
import sys
import textwrap
from typing import Any

BEGIN = """
    import json, logging, sys, time
    from baselib.memory import AllocationTrace, trace

    class Told(logging.Handler):
        def emit(self, record):
            print(json.dumps({"message": record.getMessage(), "held": record.traced_bytes, "places": record.places}))

    logging.getLogger("baselib").addHandler(Told())

    def leak(mebibytes):
        return bytearray(mebibytes << 20)
"""


def _run(code: str) -> subprocess.CompletedProcess[str]:
    source = textwrap.dedent(BEGIN) + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)


def _told(code: str) -> list[dict[str, Any]]:
    ran = _run(code)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_the_places_that_hold_most_come_first_with_their_callers() -> None:
    (line,) = _told(
        """
        trace = AllocationTrace(2)
        trace.start()
        many = leak(8)
        few = bytearray(1 << 20)
        trace.tell()
        """
    )
    first, second = line["places"][:2]
    assert line["message"] == "memory trace: what this process held"
    assert line["held"] > 9 << 20
    assert (first["bytes"] >> 20, second["bytes"] >> 20) == (8, 1)
    assert len(first["place"].split(" < ")) == 2
    assert first["growth_bytes"] == first["bytes"]


def test_growth_is_told_against_the_state_after_the_start() -> None:
    (line,) = _told(
        """
        trace = AllocationTrace(1, baseline_seconds=0.1)
        trace.start()
        def keep():
            return bytearray(8 << 20)
        before = keep()
        while not trace._baseline:
            time.sleep(0.01)
        after = keep()
        trace.tell()
        """
    )
    assert (line["places"][0]["bytes"] >> 20, line["places"][0]["growth_bytes"] >> 20) == (16, 8)


def test_the_line_is_bounded() -> None:
    (line,) = _told(
        """
        trace = AllocationTrace(50)
        trace.start()
        def deep(left):
            return deep(left - 1) if left else bytearray(1 << 16)
        kept = [deep(each) for each in range(100)]
        trace.tell()
        """
    )
    assert len(line["places"]) == 10
    assert len(json.dumps(line)) < 10_000


def test_without_frames_nothing_is_traced_and_nothing_told() -> None:
    assert _told("trace = AllocationTrace(0); trace.start(); kept = leak(8); trace.tell()") == []


def test_a_snapshot_that_takes_too_long_ends_with_the_process() -> None:
    ran = _run(
        """
        trace_, trace._held = AllocationTrace(1, bound_seconds=0.1), lambda: time.sleep(60)
        trace_.start()
        trace_.tell()
        """
    )
    assert ran.returncode == -signal.SIGALRM
    assert ran.stdout == ""


def test_what_is_told_in_time_leaves_the_alarm_as_it_was() -> None:
    assert (
        _told(
            """
            import signal
            before = signal.signal(signal.SIGALRM, lambda *_: None)
            handler = signal.getsignal(signal.SIGALRM)
            logging.getLogger("baselib").handlers.clear()
            each = AllocationTrace(1)
            each.start()
            each.tell()
            assert signal.getsignal(signal.SIGALRM) is handler
            assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
            """
        )
        == []
    )

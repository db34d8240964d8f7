"""What a worker costs that has nothing to do."""

import time
from pathlib import Path

import pytest

from tests.baselib.processes import PATIENCE_SECONDS, until
from tests.reliability.report import WORKER_ROWS, WorkerRow
from tests.reliability.workers.conftest import MakeFleet
from tests.sqs_stub.client import Stub

_POLL_SECONDS = 20
_TOLERANCE_KIB = 2_048


def _memory_kib(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(process)


def _receives(stub: Stub) -> int:
    return stub.statistics().queues["idle"].calls.get("ReceiveMessage", 0)


def _let_pass(stub: Stub, hours: int) -> None:
    for _ in range(hours * 3_600 // _POLL_SECONDS):
        _let_poll_end(stub, _receives(stub))


def _let_poll_end(stub: Stub, before: int) -> None:
    stub.advance(_POLL_SECONDS)
    deadline = time.monotonic() + PATIENCE_SECONDS
    # Far more often than `until` looks: there are thousands of these.
    while _receives(stub) == before:
        assert time.monotonic() < deadline, "it does not wait for messages again"
        time.sleep(0.001)


@pytest.mark.parametrize("hours", [2, pytest.param(24, marks=[pytest.mark.e2e, pytest.mark.slow])])
def test_idle_hours(stub: Stub, fleet_of: MakeFleet, hours: int) -> None:
    queue = stub.make_queue("idle")
    fleet = fleet_of(queue, places=1)
    # After some work, a worker receives in more than one thread.
    stub.fill(queue, 300)
    fleet.start()
    life = fleet.life()
    until(lambda: sum(stub.counts(queue)) == 0, "the work is done")
    _let_pass(stub, 1)
    memory, lines, receives = _memory_kib(life.id), len(life.program.output), _receives(stub)
    _let_pass(stub, hours - 1)
    per_hour = (_receives(stub) - receives) / (hours - 1)
    grown = _memory_kib(life.id) - memory
    fleet.stop(empty=True)
    note = f"{per_hour:g} receives an hour; memory {grown:+d} KiB after the first hour"
    WORKER_ROWS.append(WorkerRow(f"nothing for {hours} simulated hours", 300, 300, 0, 0, 0, None, note))
    print(WORKER_ROWS[-1])
    assert per_hour == 3_600 / _POLL_SECONDS
    assert grown <= _TOLERANCE_KIB
    assert '"stopped"' in life.program.output[lines:]
    assert life.program.output[lines:].count("\n") <= 4

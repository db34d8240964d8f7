"""The order within the groups of a FIFO queue, whatever happens to handlers and workers."""

import random
import signal
import time

import pytest

from tests.reliability.workers.conftest import MakeFleet
from tests.reliability.workers.disturbances import CHANGE, DELETE
from tests.reliability.workers.notes import DONE
from tests.reliability.workers.told import story, tell
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault

VISIBILITY = 10


@pytest.mark.parametrize(
    ("groups", "each", "signals"),
    [(20, 10, 2), pytest.param(50, 40, 8, marks=[pytest.mark.e2e, pytest.mark.slow])],
)
def test_groups_stay_in_order(stub: Stub, fleet_of: MakeFleet, groups: int, each: int, signals: int) -> None:
    queue = stub.make_queue("order.fifo")
    names = [f"group-{number}" for number in range(groups)]
    group_of = dict(zip(stub.fill(queue, groups * each, groups=names), names * each, strict=True))
    stub.set_faults(Fault("fail_entries", 0.2, (DELETE,)), Fault("fail_entries", 0.1, (CHANGE,)), seed=7)
    fleet = fleet_of(
        queue, RELIABILITY_SECONDS="0.01", RELIABILITY_FAILURES="0.05", RELIABILITY_VISIBILITY=str(VISIBILITY)
    )
    fleet.start()
    chosen = random.Random(7)
    for turn in range(signals):
        fleet.life(turn % 2)
        time.sleep(chosen.uniform(0.3, 1.0))
        fleet.send(turn % 2, signal.SIGKILL if turn % 4 == 1 else signal.SIGTERM)
    fleet.finish(VISIBILITY)
    what = f"FIFO, {groups} groups, 5 % failures, SIGTERM and SIGKILL"
    found = tell(what, fleet, VISIBILITY)
    assert found.handled == groups * each
    first: dict[str, int] = {}
    for note in fleet.notes.read():
        if note.what == DONE:
            first.setdefault(note.message, int(note.body))
    last: dict[str, int] = {}
    for message, number in first.items():
        group = group_of[message]
        assert last.get(group, -1) < number, story(fleet, message)
        last[group] = number

"""Jobs that take longer than the visibility time-out."""

import pytest

from tests.baselib.processes import until
from tests.reliability.workers.conftest import MakeFleet
from tests.reliability.workers.told import tell
from tests.sqs_stub.client import Stub


@pytest.mark.e2e
@pytest.mark.slow
def test_long_jobs_run_once(stub: Stub, fleet_of: MakeFleet) -> None:
    queue = stub.make_queue("long")
    fleet = fleet_of(queue, places=1, RELIABILITY_VISIBILITY="3")
    stub.fill(queue, 100)
    fleet.start()
    until(lambda: sum(stub.counts(queue)) == 0, "it knows its pace")
    stub.fill(queue, [f'{{"seconds": 6, "number": {number}}}' for number in range(8)])
    until(lambda: stub.counts(queue).visible == 0, "four run and four wait here, for longer than the time-out")
    until(lambda: sum(stub.counts(queue)) == 0, "they are handled", 60)
    fleet.finish(3)
    found = tell("eight jobs of 6 s at a visibility of 3 s, four of them prefetched", fleet, 3)
    assert found.duplicates == 0

"""A message that kills the process which handles it."""

import pytest

from tests.baselib.processes import until
from tests.reliability.workers.conftest import MakeFleet
from tests.reliability.workers.told import tell
from tests.sqs_stub.client import Stub

VISIBILITY = 3


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("processes", [0, 2])
def test_a_message_that_kills_ends_in_the_dead_letter_queue(stub: Stub, fleet_of: MakeFleet, processes: int) -> None:
    queue, dead = stub.make_queue_with_dead_letters("poisoned", receives=3)
    bodies = [str(number) for number in range(400)]
    bodies[150] = '{"poison": true}'
    stub.fill(queue, bodies)
    fleet = fleet_of(
        queue,
        RELIABILITY_PROCESSES=str(processes),
        RELIABILITY_SECONDS="0.01",
        RELIABILITY_VISIBILITY=str(VISIBILITY),
    )
    fleet.start()
    until(lambda: sum(stub.counts(dead)) > 0, "the dead-letter queue has something", 60)
    until(lambda: sum(stub.counts(queue)) == 0, "the rest is handled", 60)
    fleet.stop(empty=True)
    where = "in a process of its own" if processes else "in a thread"
    killed = sum(life.killed for life in fleet.lives)
    what = f"a message that kills its process, handled {where}"
    note = f"{killed} workers killed, {sum(stub.counts(dead))} in the dead-letter queue"
    found = tell(what, fleet, VISIBILITY, note=note)
    assert stub.bodies(dead) == ['{"poison": true}']
    assert found.handled == 399
    # The last attempt is made in a process of its own.
    assert killed == (0 if processes else 2)

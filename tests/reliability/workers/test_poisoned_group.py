"""A message that always fails, and those behind it in its group."""

from tests.baselib.processes import until
from tests.reliability.workers.conftest import MakeFleet
from tests.sqs_stub.client import Stub


def test_a_message_that_always_fails_takes_nobody_of_its_group_along(stub: Stub, fleet_of: MakeFleet) -> None:
    queue, dead = stub.make_queue_with_dead_letters("group.fifo", receives=3)
    poison = '{"fails": 1.0, "delay": 0}'
    stub.fill(queue, [poison, *map(str, range(5))], groups=["group"])
    fleet = fleet_of(queue, places=1)
    fleet.start()

    until(lambda: sum(stub.counts(queue)) == 0, "the queue is empty", 30)
    fleet.stop(empty=True)
    assert stub.bodies(dead) == [poison]

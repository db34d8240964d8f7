"""What workers do while SQS, or a part of it, does not work."""

import time

import pytest

from tests.baselib.processes import until
from tests.reliability.workers.account import largest_held, resumed
from tests.reliability.workers.conftest import MakeFleet
from tests.reliability.workers.credentials import credentials_endpoint
from tests.reliability.workers.disturbances import CHANGE, DELETE
from tests.reliability.workers.notes import DONE
from tests.reliability.workers.told import tell
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault

SLOW = [pytest.mark.e2e, pytest.mark.slow]


def test_failing_deletes(stub: Stub, fleet_of: MakeFleet) -> None:
    queue = stub.make_queue("deletes")
    stub.set_faults(Fault("fail_entries", 0.2, (DELETE,)), seed=3)
    stub.fill(queue, 2_000)
    fleet = fleet_of(queue)
    fleet.start()
    fleet.finish(120)
    found = tell("20 % of delete entries fail", fleet, 120)
    assert (found.handled, found.duplicates) == (2_000, 0)
    assert stub.statistics().faults["fail_entries"] > 300


@pytest.mark.parametrize("seconds", [3, pytest.param(15, marks=SLOW)])
def test_full_throttling(stub: Stub, fleet_of: MakeFleet, seconds: int) -> None:
    queue = stub.make_queue("throttled")
    stub.fill(queue, 1_000)
    fleet = fleet_of(queue, places=1, RELIABILITY_SECONDS="0.02", RELIABILITY_VISIBILITY="30")
    fleet.start()
    until(lambda: stub.counts(queue).visible < 900, "it consumes")
    stub.set_faults(Fault("throttle"))
    before = sum(stub.statistics().calls.values())
    time.sleep(seconds)
    calls = sum(stub.statistics().calls.values()) - before
    end = time.time()
    stub.clear_faults()
    fleet.finish(30)
    again = resumed(fleet, end)
    note = f"{calls / seconds:.1f} calls a second meanwhile"
    found = tell(f"everything throttled for {seconds} s", fleet, 30, resumed=again, note=note)
    assert (found.handled, found.duplicates) == (1_000, 0)
    # The first pauses are short: that an outage of a moment ends late would be worse.
    assert calls <= 5 * max(seconds, 10)
    assert again is not None
    assert again <= 5.0


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "SignatureDoesNotMatch"])
def test_a_clock_that_is_wrong(stub: Stub, fleet_of: MakeFleet, code: str) -> None:
    queue = stub.make_queue("skewed")
    stub.fill(queue, 300)
    fleet = fleet_of(queue, places=1, RELIABILITY_SECONDS="0.02")
    fleet.start()
    until(lambda: stub.counts(queue).visible < 250, "it consumes")
    text = "Signature expired: 20261123T180000Z is now earlier than 20261123T184500Z"
    stub.set_faults(Fault("error", status=403, code=code, message=text))
    before = sum(stub.statistics().calls.values())
    time.sleep(4)
    calls = sum(stub.statistics().calls.values()) - before
    end = time.time()
    stub.clear_faults()
    fleet.finish(120)
    again = resumed(fleet, end)
    note = f"{calls / 4:.1f} calls a second meanwhile"
    found = tell(f"4 s of {code}, as with a wrong clock", fleet, 120, resumed=again, note=note)
    assert (found.handled, found.duplicates) == (300, 0)
    # At first more often than later.
    assert calls <= 50
    assert again is not None
    assert again <= 5.0


@pytest.mark.e2e
@pytest.mark.slow
def test_a_failing_credentials_endpoint_delays_nothing_while_keys_are_valid(stub: Stub, fleet_of: MakeFleet) -> None:
    queue = stub.make_queue("credentials")
    with credentials_endpoint(20.0) as endpoint:
        fleet = fleet_of(queue, places=1, RELIABILITY_SECONDS="0.01", **endpoint.environment)
        fleet.start()
        fleet.life()
        stub.fill(queue, 10)
        until(lambda: sum(stub.counts(queue)) == 0, "it has keys")
        endpoint.out.set()
        # From the half of their life on, new keys are wanted.
        until(lambda: endpoint.failed >= 2, "new keys are wanted", 25)
        stub.fill(queue, 2_000)
        end = time.time() + 5
        time.sleep(5)
        handled = sum(note.what == DONE and note.time < end for note in fleet.notes.read()) - 10
        failed, output = endpoint.failed, fleet.lives[0].program.output
        endpoint.out.clear()
        fleet.finish(120)
    note = f"{failed} failed or hanging answers; {handled} messages in 5 s of them"
    found = tell("a credentials endpoint that fails while keys are valid", fleet, 120, note=note)
    assert (found.handled, found.duplicates) == (2_010, 0)
    # Each answer that hangs takes a second: with a call that waited for it there would be next to none.
    assert handled > 200
    assert '"cannot ' not in output


@pytest.mark.e2e
@pytest.mark.slow
def test_deletes_fail_and_receives_work(stub: Stub, fleet_of: MakeFleet) -> None:
    queue = stub.make_queue("partial")
    stub.fill(queue, 2_000)
    stub.set_faults(Fault("error", actions=(DELETE,)))
    fleet = fleet_of(queue, places=1, RELIABILITY_VISIBILITY="15")
    fleet.start()
    fleet.life()
    time.sleep(20)
    end = time.time()
    held = stub.counts(queue).in_flight
    stub.clear_faults()
    fleet.finish(15)
    note = f"{largest_held(stub.ledger('partial'))} held at most"
    found = tell("no delete works for 20 s", fleet, 15, resumed=resumed(fleet, end), note=note)
    assert (found.handled, found.duplicates) == (2_000, 0)
    # 500 undeleted, and what is received by the time that is known: ten by each of two threads, and what waits.
    assert 400 <= held <= 560
    assert largest_held(stub.ledger("partial")) <= 560


@pytest.mark.e2e
@pytest.mark.slow
def test_what_may_be_with_somebody_else_is_not_begun_with(stub: Stub, fleet_of: MakeFleet) -> None:
    # Extensions fail for longer than the visibility time-out, while messages wait for a thread.
    queue = stub.make_queue("unextended")
    fleet = fleet_of(queue, places=1, RELIABILITY_VISIBILITY="4", RELIABILITY_SECONDS="0.01")
    stub.fill(queue, 100)
    fleet.start()
    until(lambda: sum(stub.counts(queue)) == 0, "it knows its pace")
    stub.set_faults(Fault("throttle", actions=(CHANGE,)))
    blocking = [f'{{"seconds": 7, "number": {number}}}' for number in range(4)]
    waiting = stub.fill(queue, [*blocking, *(f'{{"seconds": 0.1, "number": {number}}}' for number in range(4, 16))])
    until(lambda: stub.counts(queue).in_flight >= 12, "they are held")
    # Nobody receives them for a second time while these calls fail.
    time.sleep(5)
    stub.add_faults(Fault("throttle", actions=("ReceiveMessage",)))
    lapsed = set(waiting[4:])
    until(lambda: sum(note.what == DONE for note in fleet.notes.read()) >= 104, "the first ones were handled")
    stub.clear_faults()
    fleet.finish(4)
    begun = [note for note in fleet.notes.read() if note.what == "begun" and note.message in lapsed]
    assert len(begun) == len(lapsed)

"""The ends of workers with messages in flight."""

import functools
import signal
import time

from tests.baselib.processes import until
from tests.reliability.workers.account import account
from tests.reliability.workers.conftest import MakeFleet
from tests.reliability.workers.disturbances import DELETE
from tests.reliability.workers.fleet import Fleet
from tests.reliability.workers.notes import BEGUN, DONE
from tests.reliability.workers.told import tell
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault


def test_sigterm_with_messages_in_flight(stub: Stub, fleet_of: MakeFleet) -> None:
    queue = stub.make_queue("in-flight")
    fleet = fleet_of(queue, places=1)
    stub.fill(queue, 100)
    fleet.start()
    until(lambda: sum(stub.counts(queue)) == 0, "it knows its pace")
    stub.fill(queue, [f'{{"seconds": 1, "number": {number}}}' for number in range(16)])
    until(lambda: sum(note.what == BEGUN for note in fleet.notes.read()) >= 104, "all threads are busy")
    until(lambda: stub.counts(queue).in_flight > 10, "messages wait for a thread")
    held = stub.counts(queue).in_flight
    fleet.replace_nobody()
    life = fleet.ended(fleet.send(0, signal.SIGTERM))
    assert life.ended is not None
    assert life.told is not None
    after = stub.counts(queue)
    found = account(fleet, 120)
    note = f"{held} held, {life.given_back} given back, {life.ended - life.told:.1f} s; the running jobs took 1 s"
    assert (found.handled, after.visible, after.in_flight) == (104, 12, 0)
    assert (found.duplicates, found.invisible, life.code, life.undeleted) == (0, [], 0, 0)
    fleet.start()
    until(lambda: sum(note.what == DONE for note in fleet.notes.read()) >= 116, "the rest is handled", 60)
    fleet.finish(120)
    found = tell("SIGTERM with messages in flight", fleet, 120, note=note)
    assert found.duplicates == 0


def test_sigterm_while_nothing_comes(stub: Stub, fleet_of: MakeFleet) -> None:
    queue = stub.make_queue("idle")
    fleet = fleet_of(queue, places=1)
    fleet.start()
    fleet.life()
    until(lambda: stub.statistics().queues["idle"].calls.get("ReceiveMessage"), "it waits for messages")
    fleet.replace_nobody()
    life = fleet.send(0, signal.SIGTERM)
    until(lambda: '"draining"' in life.program.output, "it drains")
    # The long poll under way ends, and there is no other.
    stub.advance(20)
    assert fleet.ended(life).code == 0
    assert stub.statistics().queues["idle"].calls["ReceiveMessage"] == 1


def test_what_a_long_poll_brings_after_sigterm_is_given_back(stub: Stub, fleet_of: MakeFleet) -> None:
    queue = stub.make_queue("late")
    # Shorter than the poll has been waiting.
    fleet = fleet_of(queue, places=1, RELIABILITY_VISIBILITY="5")
    fleet.start()
    fleet.life()
    until(lambda: stub.statistics().queues["late"].calls.get("ReceiveMessage"), "it waits for messages")
    time.sleep(6)
    fleet.replace_nobody()
    life = fleet.send(0, signal.SIGTERM)
    until(lambda: '"draining"' in life.program.output, "it drains")
    stub.fill(queue, 3)
    fleet.ended(life)
    assert stub.counts(queue) == (3, 0, 0), fleet.stub.ledger("late")


def test_a_handler_that_fails_while_the_worker_stops(stub: Stub, fleet_of: MakeFleet) -> None:
    queue = stub.make_queue("failing")
    # Before its first back-off, the worker asks for the redrive policy.
    stub.set_faults(Fault("latency", actions=("GetQueueAttributes",), milliseconds=4_000))
    fleet = fleet_of(queue, places=1)
    fleet.start()
    fleet.life()
    stub.fill(queue, ['{"fails": 1, "delay": null}'])
    until(lambda: stub.statistics().calls.get("GetQueueAttributes"), "it asks for the policy")
    # No long poll holds up its end.
    stub.add_faults(Fault("throttle", actions=("ReceiveMessage",)))
    stub.advance(20)
    fleet.replace_nobody()
    fleet.ended(fleet.send(0, signal.SIGTERM))
    changes = [event.detail for event in stub.ledger("failing") if event.what == "visibility changed"]
    assert changes, "its back-off was forgotten: it stays invisible until its time-out ends"
    assert changes[-1] <= 5


def test_what_sqs_does_not_delete_is_counted(stub: Stub, fleet_of: MakeFleet) -> None:
    queue = stub.make_queue("undeleted", VisibilityTimeout="120")
    fleet = fleet_of(queue, places=1, STOP_SECONDS="3")
    stub.set_faults(Fault("error", actions=(DELETE,)))
    stub.fill(queue, 60)
    fleet.start()
    until(lambda: sum(note.what == DONE for note in fleet.notes.read()) == 60, "they are handled")
    fleet.replace_nobody()
    stub.reset_connections()
    life = fleet.send(0, signal.SIGTERM)
    time.sleep(1)
    stub.reset_connections()
    fleet.ended(life)
    assert (life.undeleted, life.code) == (60, 0)
    stub.clear_faults()
    fleet.jump(121)
    fleet.start()
    until(lambda: sum(stub.counts(queue)) == 0, "they are handled again")
    fleet.finish(120)
    found = tell("no delete works until a SIGTERM's deadline", fleet, 120)
    assert (len(found.undeleted), found.duplicates) == (60, 60)


def _begun_by(fleet: Fleet, process: int, least: int) -> bool:
    return sum(note.what == BEGUN and note.process == process for note in fleet.notes.read()) >= least


def test_sigkill_with_messages_in_flight(stub: Stub, fleet_of: MakeFleet) -> None:
    queue = stub.make_queue("killed")
    stub.fill(queue, 1_000)
    fleet = fleet_of(queue, RELIABILITY_SECONDS="0.04", RELIABILITY_VISIBILITY="20")
    fleet.start()
    for turn in range(4):
        process = fleet.life(turn % 2).id
        until(
            functools.partial(_begun_by, fleet, process, 40),
            "it consumes",
        )
        fleet.ended(fleet.send(turn % 2, signal.SIGKILL))
    fleet.finish(20)
    found = tell("SIGKILL, four times", fleet, 20)
    assert found.handled == 1_000
    # Four threads, twenty that wait, and what is handled and about to be deleted.
    assert 0 < found.held <= 44
    assert found.duplicates <= 4 * found.held

"""What became of each message, told from the stub's ledger and the workers' notes."""

import bisect
import itertools
import signal
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.reliability.workers.fleet import Fleet, Life
from tests.reliability.workers.notes import BEGUN, DONE, FAILED, RECEIVED, Note
from tests.sqs_stub import ledger
from tests.sqs_stub.ledger import Event

# A message that failed comes again after this time, and SQS counts in whole seconds.
_BACK_OFF_SECONDS = 2.0
_NEVER = float("inf")


@dataclass(slots=True)
class Hold:
    """One receive of a message, until its end.

    Attributes:
        message: The message's id.
        received: When.
        due: When its visibility time-out ends.
        over: When it was deleted or became visible again.
        owner: Who received it; None when nobody noted it.
        begun: When a handler began with it.
        handler: The process in which it did.
        outcome: What the handler noted at its end.
    """

    message: str
    received: float
    due: float
    over: float = _NEVER
    owner: Life | None = None
    begun: float | None = None
    handler: int = 0
    outcome: str | None = None


@dataclass(slots=True)
class Account:
    """What became of the messages of a queue.

    Attributes:
        messages: How many were sent.
        handled: How many were handled to their end.
        lost: Those that were not, and are not in another queue.
        dead: Those that were moved to the dead-letter queue.
        killed: What was begun again because its process was killed.
        undeleted: What was handled again because SQS did not delete it until its process had to end.
        unexplained: What was begun again for no such reason.
        invisible: What a process that was told to stop left invisible, and had not handled.
        unnoted: What was received and noted by nobody: the process was killed, or the answer lost.
        held: How much each killed process held, at most.
    """

    messages: int
    handled: int
    lost: list[str]
    dead: set[str]
    killed: list[str] = field(default_factory=list)
    undeleted: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    invisible: list[str] = field(default_factory=list)
    unnoted: int = 0
    held: int = 0

    @property
    def duplicates(self) -> int:
        """How often anything was begun again that had not failed."""
        return len(self.killed) + len(self.undeleted) + len(self.unexplained)


def account(fleet: Fleet, visibility: float) -> Account:
    """Look at a queue whose workers have ended.

    Args:
        fleet: The workers.
        visibility: The workers' visibility time-out.
    """
    events = shifted(fleet.stub.ledger(fleet.queue.rpartition("/")[2]), fleet.jumps)
    notes = fleet.notes.read()
    holds = _holds(events, notes, fleet.lives, visibility)
    sent = {event.message for event in events if event.what == ledger.SENT}
    done = {note.message for note in notes if note.what == DONE}
    dead = {event.message for event in events if event.what == ledger.DEAD_LETTERED}
    found = Account(len(sent), len(sent & done), sorted(sent - done - dead), dead)
    for each in holds.values():
        _again(found, each)
    everything = [hold for each in holds.values() for hold in each]
    found.unnoted = sum(hold.owner is None for hold in everything)
    for life in fleet.lives:
        assert life.ended is not None
        held = [hold for hold in everything if hold.owner is life and hold.received <= life.ended < hold.over]
        if life.killed:
            found.held = max(found.held, len(held))
        elif life.sent == signal.SIGTERM:
            late = [hold for hold in held if hold.outcome != DONE and hold.due > life.ended + _BACK_OFF_SECONDS]
            found.invisible += [hold.message for hold in late]
    return found


def _holds(
    events: Iterable[Event], notes: Iterable[Note], lives: Iterable[Life], visibility: float
) -> dict[str, list[Hold]]:
    holds: dict[str, list[Hold]] = {}
    for event in events:
        mine = holds.setdefault(event.message, [])
        if event.what == ledger.RECEIVED:
            mine.append(Hold(event.message, event.time, event.time + visibility))
        elif mine and event.what == ledger.CHANGED:
            mine[-1].due = event.time + event.detail
        elif mine and event.what == ledger.VISIBLE:
            # The event's own time is wrong where time was let pass at once before anybody looked.
            mine[-1].over = min(mine[-1].over, mine[-1].due)
        elif mine and event.what == ledger.DELETED:
            mine[-1].over = min(mine[-1].over, event.time)
    by_process = {life.id: life for life in lives}
    for note in notes:
        hold = holds[note.message][note.receive_count - 1]
        if note.what == RECEIVED:
            hold.owner = by_process.get(note.process)
        elif note.what == BEGUN:
            hold.begun, hold.handler = note.time, note.process
        else:
            hold.outcome = note.what
    return holds


def _again(found: Account, holds: list[Hold]) -> None:
    begun = [hold for hold in holds if hold.begun is not None]
    for before, after in itertools.pairwise(begun):
        life = before.owner
        if before.outcome == FAILED:
            continue
        ended = life is not None and life.ended is not None and life.ended <= after.received
        alone = life is not None and before.handler != life.id and before.outcome is None
        if alone or (ended and life is not None and life.killed):
            found.killed.append(after.message)
        elif ended and before.outcome == DONE:
            found.undeleted.append(after.message)
        else:
            found.unexplained.append(after.message)


def shifted(events: Iterable[Event], jumps: Iterable[tuple[int, float]]) -> list[Event]:
    """Events as they would be told if time had never been let pass at once."""
    places, sums = [0], [0.0]
    for place, seconds in jumps:
        places.append(place)
        sums.append(sums[-1] + seconds)
    return [
        event._replace(time=event.time - sums[bisect.bisect_right(places, place) - 1])
        for place, event in enumerate(events)
    ]


def resumed(fleet: Fleet, end: float, within: float = 5.0) -> float | None:
    """How many seconds after an outage's end the last of the workers that it had not ended received something.

    Args:
        fleet: The workers.
        end: The outage's end, in seconds since 1970.
        within: What was told to stop so soon after the end need not have received anything.

    Returns:
        None where no worker lived through the outage's end.
    """
    slowest = None
    for life in fleet.lives:
        if life.ready is None or life.ready > end or (life.ended or _NEVER) < end or (life.told or _NEVER) < end:
            continue
        first = next(
            (
                note.time
                for note in fleet.notes.read()
                if note.what == RECEIVED and note.process == life.id and note.time >= end
            ),
            _NEVER,
        )
        if (life.told or _NEVER) < min(first, end + within):
            continue
        slowest = max(slowest or 0.0, first - end)
    return slowest


def largest_held(events: Iterable[Event]) -> int:
    """How many messages were received, and neither deleted nor visible again, at the most."""
    change = Counter({ledger.RECEIVED: 1, ledger.VISIBLE: -1, ledger.DELETED: -1})
    held = most = 0
    for event in events:
        held += change[event.what]
        most = max(most, held)
    return most

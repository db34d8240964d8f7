"""Consumes one queue: what becomes of a message from its receipt to its end, and of all of them at a drain."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import LEASES_LOST, MESSAGES_DEAD
from baselib.worker.engine.dead_letters import DeadLetters
from baselib.worker.engine.deleting import Deleter
from baselib.worker.engine.lease import Lease, Leases
from baselib.worker.engine.line import GroupedLine, Line, StandardLine
from baselib.worker.engine.outcome import Outcome, Verdict
from baselib.worker.engine.pace import Pace
from baselib.worker.engine.pauses import retry_delay
from baselib.worker.engine.pool import Pool, Share
from baselib.worker.engine.queue import LONGEST_POLL_SECONDS, Queue
from baselib.worker.engine.receiving import Receiver
from baselib.worker.engine.room import Room
from baselib.worker.engine.visibility import Visibility

_logger = logging.getLogger("baselib.worker")

_POLL_SECONDS: Final = 0.01
# What the last calls of a drain get after its deadline, out of the margin before SIGKILL.
_LAST_CALLS_SECONDS: Final = 2.0
_AFTER_THE_END_SECONDS: Final = 3

Handle = Callable[[Sequence[Lease]], Sequence[Verdict]]


class Drained:
    """What a drain left behind.

    Attributes:
        given_back: How many messages were given back: no handler had begun with them, or none had ended.
        undeleted: How many were handled and not deleted, because SQS did not do it: they will be handled again.
    """

    def __init__(self, given_back: int = 0, undeleted: int = 0) -> None:
        self.given_back = given_back
        self.undeleted = undeleted

    def __add__(self, other: "Drained") -> "Drained":
        return Drained(self.given_back + other.given_back, self.undeleted + other.undeleted)


class Consumer:
    """Consumes one queue.

    Args:
        queue: The queue.
        name: Its name, for logs and metrics.
        handle: Handles messages and says what shall become of each; never raises.
        pool: The threads in which it does so.
        isolated: Handles a message where nothing but itself can be harmed; its last attempt is made there. None where
            there is no such place.
        weight: How many of its messages are begun for one of a queue of weight 1.
        batch: How many messages `handle` takes at a time.
        limit: Seconds after which a handler should have ended.
        visibility: Seconds for which a received message is invisible to others; extended while it is held.
        wait: Seconds that a receive waits for a first message.
    """

    def __init__(
        self,
        queue: Queue,
        name: str,
        handle: Handle,
        pool: Pool,
        *,
        isolated: Handle | None = None,
        weight: float = 1.0,
        batch: int = 1,
        limit: float | None = None,
        visibility: int = 120,
        wait: int = LONGEST_POLL_SECONDS,
    ) -> None:
        self.name = name
        self._handle = handle
        self._isolated = isolated
        self._pool = pool
        self._limit = limit
        self._visibility_seconds = visibility
        self._leases = Leases()
        # What handlers have begun with, until it is known what becomes of it.
        self._in_work: set[Lease] = set()
        self._given_back: set[str] = set()
        self._pace = Pace()
        line: Line = GroupedLine() if queue.fifo else StandardLine()
        self._share = Share(line, self._pace, self._work, weight, batch)
        pool.attach(self._share)
        self._deleter = Deleter(queue, name, self._leases)
        self._room = Room(pool.threads, batch, self._pace, self._deleter.__len__)
        self._visibility = Visibility(queue, name, self._leases, visibility)
        self._receiver = Receiver(queue, name, self._room, self._accept, wait=wait, visibility=visibility)
        self._dead_letters = DeadLetters(queue, name)

    def start(self) -> None:
        """Begin to consume."""
        self._deleter.start()
        self._visibility.start()
        self._receiver.start()

    @property
    def alive(self) -> bool:
        """Whether the receiving loop has turned lately."""
        return self._receiver.alive

    def overdue(self) -> list[Lease]:
        """What is being handled for longer than its handler may."""
        now = time.monotonic()
        return [lease for lease in list(self._in_work) if lease.deadline is not None and lease.deadline < now]

    def drain(self, seconds: float) -> Drained:
        """Stop consuming: receive no more, finish what runs, give back what has not begun.

        Args:
            seconds: Time until what still runs is given back too.
        """
        deadline = time.monotonic() + seconds
        self._receiver.stop()
        self._pool.withdraw(self._share)
        self._give_back(self._leases.close())
        for lease in list(self._in_work):
            lease.finish_by(deadline)
        while self._in_work and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        # Taken before the deleter ends: what a handler still ends with after this is with nobody here any more.
        unhandled = self._leases.take_unhandled()
        undeleted = self._deleter.finish(max(deadline, time.monotonic() + _LAST_CALLS_SECONDS / 2))
        # A receive that is still open when this process ends must not get what is given back now.
        seconds = 0 if self._receiver.join(deadline) else _AFTER_THE_END_SECONDS
        self._give_back(unhandled, seconds)
        late = self._visibility.finish(max(deadline, time.monotonic()) + _LAST_CALLS_SECONDS)
        if late or undeleted:
            told = {"queue": self.name, "invisible": late, "undeleted": undeleted}
            _logger.warning("drained, but SQS did not take all of it", extra=told)
        return Drained(len(self._given_back), undeleted)

    def _accept(self, found: list[dict[str, Any]]) -> None:
        now = time.monotonic()
        leases = [Lease(raw, now, self._visibility_seconds) for raw in found]
        if self._leases.add(leases):
            self._pool.offer(self._share, leases)
        else:
            # A receive that was under way when the drain began: nobody begins with these any more.
            self._give_back(leases)

    def _give_back(self, leases: Sequence[Lease], seconds: int = 0) -> None:
        # By id, because a receive under way may bring what has just been given back.
        self._given_back.update(lease.raw["MessageId"] for lease in leases)
        self._visibility.give_back(leases, seconds)

    def _work(self, taken: Sequence[Lease]) -> None:
        self._in_work.update(taken)
        try:
            # What was given back by a drain is not begun with.
            leases = self._unlapsed([lease for lease in taken if self._leases.begin(lease)])
            if leases:
                self._handle_all(leases)
            self._deleter.helped(self._pace.short)
            self._deleter.help()
        except Exception:
            # Nobody keeps these any more: they come again when their time-out ends.
            self._leases.drop(taken)
            _logger.exception("messages could not be finished", extra={"queue": self.name})
        finally:
            self._in_work.difference_update(taken)
            self._room.give_back(len(taken))
        if not self._pool.waiting:
            self._receiver.help()

    def _unlapsed(self, leases: list[Lease]) -> list[Lease]:
        """Let those go that waited for so long, while they could not be extended, that somebody else may have them."""
        lapsed = [lease for lease in leases if lease.lost]
        if not lapsed:
            return leases
        self._leases.drop(lapsed)
        metrics.incr(LEASES_LOST.name, len(lapsed), tags={"queue": self.name})
        for lease in lapsed:
            self._leave_group(lease, in_order=False)
        return [lease for lease in leases if lease not in lapsed]

    def _handle_all(self, leases: Sequence[Lease]) -> None:
        began = time.monotonic()
        if self._limit is not None:
            for lease in leases:
                lease.finish_by(began + self._limit)
        for lease, verdict in zip(leases, self._verdicts(leases), strict=True):
            self._finish(lease, verdict)
        self._pace.note((time.monotonic() - began) / len(leases))

    def _verdicts(self, leases: Sequence[Lease]) -> Sequence[Verdict]:
        try:
            if self._isolated is None or not any(self._last_of_several(lease) for lease in leases):
                return self._handle(leases)
            return self._apart(leases, self._isolated)
        except BaseException:
            # It promises not to raise; no message and no thread is lost where it does.
            _logger.exception("messages could not be handled", extra={"queue": self.name})
            return [Verdict(Outcome.RETRIED)] * len(leases)

    def _apart(self, leases: Sequence[Lease], isolated: Handle) -> Sequence[Verdict]:
        """Handle messages so that those beside it are not harmed by the one that is isolated."""
        if leases[0].group is not None:
            # A handler can keep the order only of what it is given together.
            return isolated(leases)
        last = [lease for lease in leases if self._last_of_several(lease)]
        others = [lease for lease in leases if lease not in last]
        verdicts = dict(zip(others, self._handle(others), strict=True)) if others else {}
        verdicts.update((lease, isolated((lease,))[0]) for lease in last)
        return [verdicts[lease] for lease in leases]

    def _finish(self, lease: Lease, verdict: Verdict) -> None:
        outcome = verdict.outcome
        if outcome is Outcome.REJECTED:
            outcome = self._bury(lease, "rejected", verdict.reason)
        elif outcome is Outcome.RETRIED and lease.group is not None and self._last_receive(lease):
            # Given back, those behind it would be received as often as it was, and never be handled: SQS counts the
            # receives of each.
            outcome = self._bury(lease, "receives", verdict.reason)
        in_order = outcome is Outcome.DONE and not lease.lost
        # Held no longer before it is put off, so that it is not extended after that.
        delay = 0.0 if outcome is Outcome.DONE else self._delay(lease, verdict._replace(outcome=outcome))
        if self._leases.end(lease, keep=outcome is Outcome.DONE):
            if outcome is Outcome.DONE:
                self._deleter.put(lease)
            else:
                self._visibility.put_off(lease, delay)
        self._leave_group(lease, in_order=in_order)

    def _leave_group(self, lease: Lease, *, in_order: bool) -> None:
        if lease.group is not None:
            given_back = self._pool.finished(self._share, lease, in_order=in_order)
            if given_back:
                self._leases.drop(given_back)
                self._visibility.give_back(given_back)
                self._room.give_back(len(given_back))

    def _bury(self, lease: Lease, cause: str, reason: str) -> Outcome:
        if not self._dead_letters.bury(lease.raw, reason, lease.request_id):
            return Outcome.RETRIED
        # What is in the dead-letter queue now points to the same body in S3.
        lease.on_deleted = None
        self._tell_dead(lease, cause, reason)
        return Outcome.DONE

    def _delay(self, lease: Lease, verdict: Verdict) -> float:
        if verdict.outcome is Outcome.RETRIED and self._last_receive(lease):
            self._tell_dead(lease, "receives", verdict.reason)
            # The next receive, by whomever, is one too many: SQS then moves it.
            return 0.0
        return retry_delay(lease.receive_count) if verdict.delay is None else verdict.delay

    def _last_of_several(self, lease: Lease) -> bool:
        return lease.receive_count > 1 and self._last_receive(lease)

    def _last_receive(self, lease: Lease) -> bool:
        policy = self._dead_letters.policy()
        return policy is not None and lease.receive_count >= policy.receives

    def _tell_dead(self, lease: Lease, cause: str, reason: str) -> None:
        metrics.incr(MESSAGES_DEAD.name, tags={"queue": self.name, "cause": cause})
        _logger.error(
            "to the dead-letter queue",
            extra={
                "queue": self.name,
                "message_id": lease.raw["MessageId"],
                "receive_count": lease.receive_count,
                "cause": cause,
                "reason": reason,
            },
        )

"""Moving messages by hand: received, sent, and only then deleted, so that one may be there twice but none is lost."""

import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from baselib.queues.batches import BATCH, Raw, call_in_batches
from baselib.queues.copies import copy_of
from baselib.queues.errors import QueueError, code_of, explained
from baselib.queues.holding import Holding
from baselib.queues.interruption import Interruption
from baselib.queues.outcome import Outcome
from baselib.queues.queue import OperatedQueue
from baselib.queues.selection import Selection

# Longer than any batch takes with all that is tried again; what a killed process held comes back after this.
VISIBILITY_SECONDS: Final = 300
_TOO_LONG: Final = "BatchRequestTooLong"


class Moving:
    """Moves messages from one queue to another.

    Args:
        source: The queue that they are in.
        target: The queue that they go to; None only counts those that would go.
        selection: Which.
        rate: How many a second at most; as fast as it goes when None.
        interruption: Ends it between two batches.
        tell: Told the outcome so far after each batch.
    """

    def __init__(
        self,
        source: OperatedQueue,
        target: OperatedQueue | None,
        selection: Selection,
        rate: int | None,
        interruption: Interruption,
        tell: Callable[[Outcome], None],
    ) -> None:
        self._source = source
        self._target = target
        self._selection = selection
        self._rate = rate
        self._interruption = interruption
        self._tell = tell
        self._outcome = Outcome(looked_at=None if selection.everything else 0)

    def run(self, most: int) -> Outcome:
        """Move.

        Args:
            most: How many messages are looked at: those that were there at the start, so that messages which fail
                again at once, and come back, are not moved round and round.
        """
        outcome, looked_at = self._outcome, 0
        started = time.monotonic()
        holding = Holding(self._source, VISIBILITY_SECONDS)
        try:
            while looked_at < most and not self._finished(holding):
                raws = holding.receive(min(BATCH, most - looked_at, self._rate or BATCH))
                looked_at += len(raws)
                if outcome.looked_at is not None:
                    outcome.looked_at = looked_at
                chosen = [raw for raw in raws if self._selection.takes(raw)]
                self._move(chosen, holding)
                self._tell(outcome)
                if self._rate:
                    self._interruption.sleep(started + outcome.done / self._rate - time.monotonic())
        except QueueError as error:
            outcome.error = str(error)
        finally:
            holding.give_back()
            outcome.hidden += holding.hidden
        outcome.interrupted = self._interruption.asked
        outcome.missing = self._selection.missing()
        return outcome

    def _finished(self, holding: Holding) -> bool:
        return holding.exhausted or self._interruption.asked or self._selection.complete

    def _move(self, raws: Sequence[Raw], holding: Holding) -> None:
        if not raws or self._target is None:
            self._outcome.done += len(raws)
            return
        waves = _waves(raws) if self._target.fifo else [list(raws)]
        late: set[str] = set()
        for wave in waves:
            # What comes after a message that could not be sent waits for it, or the group's order would be lost.
            going = [raw for raw in wave if _group(raw) not in late]
            self._outcome.failed.update(
                {str(raw["MessageId"]): "an earlier message of its group stayed" for raw in wave if raw not in going}
            )
            failed = self._transfer(self._target, going, holding)
            self._outcome.failed.update(failed)
            late.update(_group(raw) for raw in going if raw["MessageId"] in failed and self._target.fifo)

    def _transfer(self, target: OperatedQueue, raws: Sequence[Raw], holding: Holding) -> dict[str, str]:
        """Send and then delete messages; the ids of those that could not be sent, and why."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - the client loads it anyway

        entries = [copy_of(raw, fifo=target.fifo) for raw in raws]
        try:
            with explained(f"sending to {target.name}"):
                places = call_in_batches(target.send, entries, self._interruption.sleep)
        except QueueError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and code_of(cause) == _TOO_LONG and len(raws) > 1:
                # Ten messages may be larger together than a call may be.
                half = len(raws) // 2
                first = self._transfer(target, raws[:half], holding)
                return first | self._transfer(target, raws[half:], holding)
            if not isinstance(cause, ClientError) or cause.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                self._outcome.uncertain += len(raws)
            raise
        failed = {str(raws[place]["MessageId"]): reason for place, reason in places.items()}
        self._delete([raw for raw in raws if raw["MessageId"] not in failed], holding)
        return failed

    def _delete(self, raws: Sequence[Raw], holding: Holding) -> None:
        if not raws:
            return
        # Sent is moved, whatever becomes of what is left behind.
        self._outcome.done += len(raws)
        try:
            self._outcome.twice.update(holding.delete(raws))
        except QueueError as error:
            self._outcome.twice.update({str(raw["MessageId"]): str(error) for raw in raws})
            raise


def _group(raw: Raw) -> str:
    return str(raw.get("Attributes", {}).get("MessageGroupId", ""))


def _waves(raws: Collection[Raw]) -> list[list[Raw]]:
    """The messages in their order, and no two of a group in one call, which might fail for the first of them only."""
    waves: list[list[Raw]] = []
    sizes: dict[str, int] = {}
    for raw in raws:
        wave = sizes.get(_group(raw), 0)
        sizes[_group(raw)] = wave + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(raw)
    return waves

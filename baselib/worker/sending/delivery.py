"""A batch is delivered: what SQS did not take for a reason of its own is sent again, and order is kept."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from baselib.aws.deadlines import span_deadline
from baselib.http.retries import back_off
from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import MESSAGES_SENT
from baselib.worker.sending import storage
from baselib.worker.sending.attempts import watched
from baselib.worker.sending.entries import Entry
from baselib.worker.sending.errors import HELD_BACK, Failure, error_code, error_reason
from baselib.worker.sending.fifo import is_fifo

# Of entries that each fail one time in five, about one in ten million fails as often.
_TRIES: Final = 10
_NO_ANSWER: Final = "NoAnswer"

_logger = logging.getLogger("baselib.worker")


@dataclass(slots=True)
class Delivered:
    """What became of a batch.

    Attributes:
        sent: SQS's ids, by the messages' places.
        failures: What was not sent, in order.
    """

    sent: dict[int, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


class Delivery:
    """Delivers to one queue.

    Args:
        client: A boto3 SQS client.
        queue_url: The queue's URL.
    """

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._fifo = is_fifo(queue_url)

    def one(self, entry: Entry) -> tuple[Delivered, Exception | None]:
        """Send one message with a call of its own.

        Args:
            entry: The message.

        Returns:
            What became of it, and what went wrong.
        """
        return self._run(_One(self._client, self._queue_url, self._fifo, [entry]))

    def batch(self, entries: Sequence[Entry]) -> tuple[Delivered, Exception | None]:
        """Send a batch.

        Args:
            entries: As many messages as one call may hold, in order.

        Returns:
            What became of each, and what went wrong with a call as a whole.
        """
        return self._run(_Batch(self._client, self._queue_url, self._fifo, entries))

    def _run(self, batch: "_Batch") -> tuple[Delivered, Exception | None]:
        error = batch.run()
        batch.tidy_up()
        delivered = batch.delivered
        delivered.failures.sort(key=lambda failure: failure.index)
        uncertain = sum(failure.uncertain for failure in delivered.failures)
        self._count("sent", len(delivered.sent))
        self._count("uncertain", uncertain)
        self._count("failed", len(delivered.failures) - uncertain)
        return delivered, error

    def _count(self, outcome: str, messages: int) -> None:
        if messages:
            queue = self._queue_url.rpartition("/")[2]
            metrics.incr(MESSAGES_SENT.name, messages, tags={"queue": queue, "outcome": outcome})


class _Batch:
    """The delivery of one batch."""

    def __init__(self, client: Any, queue_url: str, fifo: bool, entries: Sequence[Entry]) -> None:
        self._client = client
        self._queue_url = queue_url
        self._fifo = fifo
        self._entries = {entry.index: entry for entry in entries}
        # What has been neither sent nor given up, in order.
        self._pending = list(entries)
        self._tries: Counter[int] = Counter()
        self._uncertain: set[int] = set()
        self.delivered = Delivered()

    def run(self) -> Exception | None:
        error = self._store()
        while self._pending:
            batch = self._next()
            try:
                with watched(self._client) as attempts:
                    sent, failed = self._call(batch)
            except Exception as raised:  # noqa: BLE001 - whatever it is, the sender is told what was sent before
                if attempts.unanswered:
                    self._uncertain.update(entry.index for entry in batch)
                for entry in batch:
                    self._give_up(entry, error_code(raised), error_reason(raised))
                self._hold_back(self._pending)
                return raised
            again = self._settle(batch, sent, failed)
            if again and not self._pause(again, failed):
                for entry in again:
                    self._give_up(entry, failed[entry.index]["Code"], failed[entry.index].get("Message", ""))
                self._hold_back(self._pending)
        return error

    def tidy_up(self) -> None:
        """Remove from S3 what no message points to; what SQS may have stays for the bucket's lifecycle rule."""
        for failure in self.delivered.failures:
            pointer = self._entries[failure.index].pointer
            if pointer is not None and not failure.uncertain:
                storage.remove(pointer)

    def _store(self) -> Exception | None:
        """Put the bodies into S3 that belong there."""
        for place, entry in enumerate(self._pending):
            if entry.pointer is None or entry.body is None:
                continue
            try:
                storage.put(entry.pointer, entry.body)
            except Exception as raised:  # noqa: BLE001 - see run
                self._hold_back(self._pending[place + 1 :])
                self._give_up(entry, error_code(raised), f"its body is not in S3: {error_reason(raised)}")
                return raised
        return None

    def _next(self) -> list[Entry]:
        """What goes into the next call: everything; but what follows a failure in its group waits for its turn."""
        if not self._fifo or not self._tries:
            return list(self._pending)
        first: dict[str | None, Entry] = {}
        for entry in self._pending:
            first.setdefault(entry.group, entry)
        return list(first.values())

    def _call(self, batch: Sequence[Entry]) -> tuple[dict[int, str], dict[int, dict[str, Any]]]:
        answer = self._client.send_message_batch(
            QueueUrl=self._queue_url, Entries=[{"Id": str(entry.index), **entry.parameters} for entry in batch]
        )
        sent = {int(each["Id"]): str(each["MessageId"]) for each in answer.get("Successful", ())}
        failed = {int(each["Id"]): each for each in answer.get("Failed", ())}
        return sent, failed

    def _settle(self, batch: Sequence[Entry], sent: dict[int, str], failed: dict[int, dict[str, Any]]) -> list[Entry]:
        """Note what became of a call's messages, and return those that may be sent again."""
        again = []
        given_up: dict[str | None, int] = {}
        for entry in batch:
            self._tries[entry.index] += 1
            if entry.index in sent:
                self.delivered.sent[entry.index] = sent[entry.index]
                self._pending.remove(entry)
                continue
            told = failed.get(entry.index, {})
            overtaken = self._fifo and any(
                later.group == entry.group and later.index > entry.index and later.index in sent for later in batch
            )
            if not told:
                self._uncertain.add(entry.index)
            hopeless = not told or told.get("SenderFault") or self._tries[entry.index] == _TRIES
            if hopeless or overtaken or (self._fifo and entry.group in given_up):
                code, reason = told.get("Code", _NO_ANSWER), told.get("Message", "SQS said nothing of it")
                self._give_up(entry, code, reason, overtaken=overtaken)
                given_up.setdefault(entry.group, entry.index)
            else:
                again.append(entry)
        if self._fifo:
            self._hold_back(
                [each for each in self._pending if each.group in given_up and each.index > given_up[each.group]]
            )
        return again

    def _pause(self, again: Sequence[Entry], failed: dict[int, dict[str, Any]]) -> bool:
        """Wait before the next call; False when the work in hand has no time for it."""
        seconds = back_off(max(self._tries[entry.index] for entry in again))
        deadline = span_deadline()
        if deadline is not None and time.monotonic() + seconds >= deadline:
            return False
        _logger.info("sending again", extra={"messages": len(again), "code": failed[again[0].index]["Code"]})
        time.sleep(seconds)
        return True

    def _give_up(self, entry: Entry, code: str, reason: str, *, overtaken: bool = False) -> None:
        self._pending.remove(entry)
        uncertain = entry.index in self._uncertain
        self.delivered.failures.append(Failure(entry.index, code, reason, uncertain, overtaken, entry.message))

    def _hold_back(self, entries: Sequence[Entry]) -> None:
        for entry in list(entries):
            self._give_up(entry, HELD_BACK, "one before it was not sent")


class _One(_Batch):
    """The delivery of one message, for which SQS has a call of its own."""

    def _call(self, batch: Sequence[Entry]) -> tuple[dict[int, str], dict[int, dict[str, Any]]]:
        (entry,) = batch
        answer = self._client.send_message(QueueUrl=self._queue_url, **entry.parameters)
        return {entry.index: str(answer["MessageId"])}, {}

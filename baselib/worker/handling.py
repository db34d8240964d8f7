"""What is done with messages: they are opened, their bodies checked, the handler called, and all of it observed."""

import inspect
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from baselib.concurrency import start_thread
from baselib.telemetry import REPORTER, Span, current_span, metrics
from baselib.telemetry.identifiers import REQUEST_ID_HEADER, request_id_from, trace_id_from
from baselib.telemetry.metrics.standard import MESSAGE_AGE
from baselib.telemetry.span import activate
from baselib.validation import misfits
from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import DONE, Outcome, Verdict
from baselib.worker.envelopes import opened
from baselib.worker.handlers import Handler
from baselib.worker.idempotency.hold import Hold
from baselib.worker.message import Message, Reject, Retry, attributes_of
from baselib.worker.payloads import fetched, followed

_logger = logging.getLogger("baselib.worker")

# A message that fails in a batch shall have failed by itself: it may be the only one that did.
_NO_FAILURES: Final[Mapping[str, BaseException]] = {}


class Handling:
    """Handles the messages of a queue.

    Args:
        handler: The service's function, and how it wants its messages.
        bucket: Where bodies lie that are too large for SQS; None where none are accepted.
        hold_seconds: For how long a record of idempotency is held at first; it is extended together with its message.
    """

    def __init__(self, handler: Handler, *, bucket: str | None, hold_seconds: float) -> None:
        self._handler = handler
        self._bucket = bucket
        self._hold_seconds = hold_seconds
        self._age_tags = {"queue": handler.queue}
        self._tags = {outcome: {"queue": handler.queue, "outcome": outcome.value} for outcome in Outcome}

    def __call__(self, leases: Sequence[Lease]) -> list[Verdict]:
        """Handle messages, one or as many as the handler takes at a time; whatever the handler raises stays in here.

        Args:
            leases: The messages.

        Returns:
            What shall become of each, in their order.
        """
        before = current_span()
        try:
            attempts = [self._begun(lease) for lease in leases]
            ready = [attempt for attempt in attempts if attempt.verdict is None]
            if ready:
                self._call(ready)
            for attempt in attempts:
                self._end(attempt)
            return [attempt.verdict or _FAILED for attempt in attempts]
        finally:
            activate(before)

    def _begun(self, lease: Lease) -> "_Attempt":
        attempt = _Attempt(lease, self._handler)
        activate(attempt.span)
        try:
            attempt.message = message = self._message(attempt)
            metrics.timing(MESSAGE_AGE.name, message.age * 1000, tags=self._age_tags)
            self._hold(attempt)
        except BaseException as error:  # noqa: BLE001 - what a message or a store does is no reason to end
            self._failed(attempt, error)
        return attempt

    def _message(self, attempt: "_Attempt") -> Message[Any]:
        handler, lease, raw = self._handler, attempt.lease, attempt.lease.raw
        attributes: Mapping[str, str] = attempt.attributes
        body, lease.on_deleted = fetched(raw, self._bucket)
        event_id, sent = "", float(raw.get("Attributes", {}).get("SentTimestamp", time.time() * 1000)) / 1000
        if handler.envelopes:
            inside = opened(body, attributes, handler.envelopes)
            event_id, sent, attributes = inside.id or "", inside.sent or sent, inside.attributes
            if REQUEST_ID_HEADER in attributes:
                # SNS gives on what its publisher said inside of the envelope.
                attempt.span.request_id = request_id_from(attributes[REQUEST_ID_HEADER])
            body = inside.body
            if lease.on_deleted is None:
                body, lease.on_deleted = followed(body, attributes, self._bucket)
        return Message(
            raw["MessageId"],
            body if handler.body is None else _validated(handler.body, body),
            attributes,
            lease.receive_count,
            sent,
            handler.queue,
            lease.group,
            event_id,
            lease,
        )

    def _hold(self, attempt: "_Attempt") -> None:
        idempotency = self._handler.idempotency
        if idempotency is None or attempt.message is None:
            return
        hold = idempotency.begin(attempt.message, seconds=self._hold_seconds)
        if hold is None:
            attempt.verdict = DONE
            return
        attempt.hold = hold
        # In a thread of its own, because the one that extends leases must not wait for a store.
        attempt.lease.on_extended = lambda seconds: start_thread(_extend, hold, seconds, name="idempotency-extend")

    def _call(self, ready: "list[_Attempt]") -> None:
        function = self._handler.function
        failures: Mapping[str, BaseException] = _NO_FAILURES
        try:
            if self._handler.batch is None:
                _refuse_coroutine(function(ready[0].message))
            else:
                failures = self._call_with_all(ready)
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises, the message is kept
            failures = {attempt.lease.raw["MessageId"]: error for attempt in ready}
        told: set[int] = set()
        for attempt in ready:
            failure = failures.get(attempt.lease.raw["MessageId"])
            if failure is None:
                attempt.verdict = DONE
            else:
                activate(attempt.span)
                # What failed all of a batch is told with its first message.
                self._failed(attempt, failure, tell=id(failure) not in told)
                told.add(id(failure))

    def _call_with_all(self, ready: "list[_Attempt]") -> Mapping[str, BaseException]:
        # Log lines of the handler are about all of them: their id stands in the line of the end of each.
        span = Span("message", self._handler.queue, budget=self._handler.limit)
        for attempt in ready:
            attempt.span.fields["batch_id"] = span.request_id
        activate(span)
        failures = self._handler.function([attempt.message for attempt in ready])
        if failures is None:
            return _NO_FAILURES
        _refuse_coroutine(failures)
        if not isinstance(failures, Mapping) or not all(isinstance(each, BaseException) for each in failures.values()):
            raise TypeError(
                "a batch handler returned something else than None or a mapping from the ids of messages to exceptions"
            )
        unknown = failures.keys() - {attempt.lease.raw["MessageId"] for attempt in ready}
        if unknown:
            raise ValueError(f"a batch handler named messages that were not in the batch: {sorted(map(str, unknown))}")
        return failures

    def _failed(self, attempt: "_Attempt", error: BaseException, *, tell: bool = True) -> None:
        message_id = attempt.lease.raw.get("MessageId")
        told = str(error)
        if isinstance(error, Reject):
            _logger.error("rejected", extra={"reason": told, "message_id": message_id})
            attempt.verdict = Verdict(Outcome.REJECTED, None, told)
        elif isinstance(error, Retry):
            _logger.warning("retried", extra={"reason": told, "message_id": message_id})
            attempt.verdict = Verdict(Outcome.RETRIED, error.delay, told)
        else:
            if tell:
                attempt.span.error = error
            _logger.error("handler failed", extra={"message_id": message_id}, exc_info=error if tell else None)
            # Its text may hold anything, and the stack is in the line above.
            attempt.verdict = Verdict(Outcome.RETRIED, None, type(error).__name__)

    def _end(self, attempt: "_Attempt") -> None:
        verdict, span = attempt.verdict or _FAILED, attempt.span
        if attempt.hold is not None:
            attempt.lease.on_extended = None
            if verdict.outcome is Outcome.DONE:
                attempt.hold.finish()
            else:
                attempt.hold.release()
        span.outcome = verdict.outcome.value
        span.tags = self._tags[verdict.outcome]
        activate(span)
        REPORTER.report(span)


class _Attempt:
    """A message on its way through."""

    __slots__ = ("attributes", "hold", "lease", "message", "span", "verdict")

    def __init__(self, lease: Lease, handler: Handler) -> None:
        self.lease = lease
        self.attributes = attributes_of(lease.raw)
        self.span = Span(
            "message",
            handler.queue,
            request_id=request_id_from(self.attributes.get(REQUEST_ID_HEADER)),
            trace_id=trace_id_from(lease.raw.get("Attributes", {}).get("AWSTraceHeader")),
            budget=handler.limit,
        )
        lease.request_id = self.span.request_id
        self.span.fields = {"message_id": lease.raw["MessageId"], "receive_count": lease.receive_count}
        self.message: Message[Any] | None = None
        self.hold: Hold | None = None
        self.verdict: Verdict | None = None


_FAILED: Final = Verdict(Outcome.RETRIED)


def _validated(model: type[Any], body: str) -> Any:
    from pydantic import ValidationError  # noqa: PLC0415 - whoever has a model has it already

    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        told = "; ".join(f"{each['pointer']}: {each['detail']}" for each in misfits(error))
        raise Reject(f"the body is not a {model.__name__}: {told}") from error


def _refuse_coroutine(returned: object) -> None:
    if inspect.iscoroutine(returned):
        # Its work has not even begun: to delete the message would lose it.
        returned.close()
        raise TypeError("the handler returned a coroutine: accepted is a plain function, which may call asyncio.run")


def _extend(hold: Hold, seconds: float) -> None:
    try:
        if not hold.extend(seconds):
            _logger.warning("idempotency record lost: somebody else handles the same message")
    except Exception:
        _logger.warning("idempotency record not extended", exc_info=True)

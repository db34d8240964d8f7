"""What is done with one message: its handler is found, its body checked, and what became of it observed."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from baselib.telemetry import OBSERVERS, Span, metrics, observed
from baselib.telemetry.identifiers import REQUEST_ID_HEADER, request_id_from, trace_id_from
from baselib.telemetry.metrics.standard import MESSAGE_AGE
from baselib.validation import misfits
from baselib.worker.consumer import Outcome
from baselib.worker.message import Message, Reject, Retry, attributes_of

MAIN: Final = "main"
"""What the worker's own queue is called in logs and metrics."""

_logger = logging.getLogger("baselib.worker")


@dataclass(frozen=True, slots=True)
class _Handler:
    function: Callable[[Message[Any]], object]
    body: type[BaseModel] | None


class Handlers:
    """The handler of each queue of a worker.

    Args:
        queues: The names of the declared queues; None is the worker's own.
    """

    def __init__(self, queues: Collection[str | None]) -> None:
        self._queues = queues
        self._handlers: dict[str | None, _Handler] = {}

    def add(self, function: Callable[[Message[Any]], object], body: type[BaseModel] | None, queue: str | None) -> None:
        """Give the messages of a queue to a function; see `Worker.handle`.

        Raises:
            ValueError: The queue was not declared, or has a handler already.
        """
        if queue not in self._queues:
            raise ValueError(f"queue {queue!r} is not declared: Worker(queues=[...])")
        if queue in self._handlers:
            raise ValueError(f"queue {queue or MAIN!r} has a handler already")
        self._handlers[queue] = _Handler(function, body)

    def require_all(self) -> None:
        """See that every queue has its handler.

        Raises:
            ValueError: A declared queue has none.
        """
        missing = [queue or MAIN for queue in self._queues if queue not in self._handlers]
        if missing:
            raise ValueError(f"no handler for {', '.join(missing)}: worker.handle(function, queue=...)")

    def handle(self, raw: dict[str, Any], queue: str | None) -> tuple[Outcome, float | None]:
        """Handle one message as SQS gives it; see `Worker.handle_raw`."""
        handler = self._handlers[queue]
        attributes = attributes_of(raw)
        system = raw.get("Attributes", {})
        name = queue or MAIN
        span = Span(
            "message",
            name,
            request_id=request_id_from(attributes.get(REQUEST_ID_HEADER)),
            trace_id=trace_id_from(system.get("AWSTraceHeader")),
        )
        message = Message(
            id=raw["MessageId"],
            body=raw["Body"],
            attributes=attributes,
            receive_count=int(system.get("ApproximateReceiveCount", 1)),
            sent=int(system.get("SentTimestamp", time.time() * 1000)) / 1000,
            queue=name,
        )
        span.fields.update(message_id=message.id, receive_count=message.receive_count)
        with observed(span, OBSERVERS):
            outcome, delay = _outcome(handler, message, span)
            span.outcome = outcome.value
            span.tags = {"queue": name, "outcome": outcome.value}
        metrics.timing(MESSAGE_AGE.name, message.age * 1000, tags={"queue": name})
        return outcome, delay


def _outcome(handler: _Handler, message: Message[Any], span: Span) -> tuple[Outcome, float | None]:
    try:
        if handler.body is not None:
            message = _with_body(message, handler.body)
        handler.function(message)
    except Reject as error:
        _logger.error("rejected", extra={"reason": str(error), "message_id": message.id})  # noqa: TRY400
        return Outcome.REJECTED, None
    except Retry as error:
        _logger.warning("retried", extra={"reason": str(error), "message_id": message.id})
        return Outcome.RETRIED, error.delay
    except (Exception, SystemExit) as error:
        # Whatever a handler raises, the message is kept, and the thread lives on.
        span.error = error
        _logger.exception("handler failed", extra={"message_id": message.id})
        return Outcome.RETRIED, None
    return Outcome.DONE, None


def _with_body(message: Message[Any], model: type[BaseModel]) -> Message[Any]:
    try:
        body = model.model_validate_json(message.body)
    except ValidationError as error:
        told = "; ".join(f"{each['pointer']}: {each['detail']}" for each in misfits(error))
        raise Reject(f"the body is not a {model.__name__}: {told}") from error
    return Message(message.id, body, message.attributes, message.receive_count, message.sent, message.queue)

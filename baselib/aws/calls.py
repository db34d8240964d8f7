"""What happens around each call of AWS: it ends within its time budget, and it is counted, timed and priced.

Everything hangs on botocore's events, so that clients and resources, paginators and transfers are treated alike
(https://docs.aws.amazon.com/boto3/latest/guide/events.html).
"""

import functools
import logging
import time
from collections.abc import Callable
from typing import Any, Final, ParamSpec

from baselib.aws.deadlines import DeadlineExceededError, span_deadline
from baselib.aws.prices import Consumption, PriceTable
from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import (
    AWS_BYTES,
    AWS_CALL_TIME,
    AWS_CALLS,
    AWS_COST,
    AWS_RETRIES,
    AWS_THROTTLES,
)

# How long an operation may hold the connection before it answers, in seconds: the long polls.
LONG_POLLS: Final = {
    ("sqs", "ReceiveMessage"): 20.0,
    ("stepfunctions", "GetActivityTask"): 60.0,
    ("swf", "PollForActivityTask"): 60.0,
    ("swf", "PollForDecisionTask"): 60.0,
}
# What a long poll gets besides, until its answer has arrived.
LONG_POLL_MARGIN_SECONDS: Final = 4.0
_SHORTEST_READ_SECONDS: Final = 0.05

_THROTTLE_CODES: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_KEY: Final = "baselib_call"
_logger = logging.getLogger(__name__)

_P = ParamSpec("_P")


class _Operation:
    """What is the same for every call of an operation."""

    __slots__ = ("_outcomes", "head", "patience", "price", "received", "sent", "tags")

    def __init__(self, model: Any, prices: PriceTable) -> None:
        service, operation = model.service_model.service_name, model.name
        self.tags = {"service": service, "operation": operation}
        self.sent = {**self.tags, "direction": "sent"}
        self.received = {**self.tags, "direction": "received"}
        self.price = prices.price(service, operation)
        # The length in the answer to a HEAD is of something that is not sent.
        self.head = model.http.get("method") == "HEAD"
        poll = LONG_POLLS.get((service, operation))
        self.patience = None if poll is None else poll + LONG_POLL_MARGIN_SECONDS
        self._outcomes: dict[str, dict[str, str]] = {}

    def with_outcome(self, outcome: str) -> dict[str, str]:
        """The tags, with an outcome."""
        return self._outcomes.get(outcome) or self._outcomes.setdefault(outcome, {**self.tags, "outcome": outcome})


class _Call:
    """A call under way."""

    __slots__ = ("consumption", "deadline", "operation", "received", "sent", "started", "throttles")

    def __init__(self, operation: _Operation, started: float, deadline: float) -> None:
        self.operation = operation
        self.started = started
        self.deadline = deadline
        self.consumption = Consumption()
        self.sent = self.received = self.throttles = 0


def _harmless(handler: Callable[_P, None]) -> Callable[_P, None]:
    @functools.wraps(handler)
    def harmless(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            handler(*args, **kwargs)
        except Exception:
            _logger.debug("a call of AWS could not be metered", exc_info=True)

    return harmless


class CallObserver:
    """Watches the calls of clients.

    Args:
        budget_seconds: What a call may take, its retries included, where the work in hand has no deadline that is
            nearer.
        prices: What calls cost.
    """

    def __init__(self, budget_seconds: float, prices: PriceTable) -> None:
        self._budget = budget_seconds
        self._prices = prices
        self._operations: dict[tuple[str, str], _Operation] = {}

    def watch(self, client: Any) -> None:
        """Hang on the client's events."""
        events, service = client.meta.events, client.meta.service_model.service_id.hyphenize()
        events.register_first(f"before-call.{service}", self._begin)
        # First, because botocore obeys the first handler that decides about a retry.
        events.register_first(f"needs-retry.{service}", self._attempted)
        events.register(f"before-send.{service}", self._send)
        events.register(f"after-call.{service}", self._answered)
        events.register(f"after-call-error.{service}", self._failed)

    @_harmless
    def _begin(self, model: Any, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        key = (model.service_model.service_name, model.name)
        operation = self._operations.get(key)
        if operation is None:
            operation = self._operations[key] = _Operation(model, self._prices)
        started = time.monotonic()
        deadline = started + max(self._budget, operation.patience or 0.0)
        nearer = span_deadline()
        if nearer is not None and nearer < deadline:
            deadline = nearer
        call = context[_KEY] = _Call(operation, started, deadline)
        body = params.get("body")
        if isinstance(body, bytes):
            # Inside a JSON string a quotation mark has a backslash, so that no message's text is mistaken for these.
            call.consumption.fifo = b'.fifo"' in body
            call.consumption.consistent = b'"ConsistentRead": true' in body

    def _send(self, request: Any, **_: object) -> None:
        context = getattr(request, "context", None) or {}
        call: _Call | None = context.get(_KEY)
        if call is None:
            return
        left = call.deadline - time.monotonic()
        if left <= 0:
            tags = call.operation.tags
            raise DeadlineExceededError(f"no time left for {tags['service']} {tags['operation']}")
        # What botocore reads from there is this attempt's time-out.
        context["read_timeout"] = max(
            _SHORTEST_READ_SECONDS, min(left, call.operation.patience or context["client_config"].read_timeout)
        )
        self._note_request(call, request)

    def _attempted(self, response: Any, attempts: int, request_dict: dict[str, Any], **_: object) -> bool | None:
        call = request_dict.get("context", {}).get(_KEY)
        if call is None:
            return None
        self._note_response(call, response)
        # The pause before another attempt is at most this long, so that it never outlasts the budget.
        pause = min(2.0 ** (attempts - 1), 20.0)
        return False if call.deadline - time.monotonic() <= pause else None

    @_harmless
    def _note_request(self, call: _Call, request: Any) -> None:
        # An upload in chunks says the size of what is in them.
        length = request.headers.get("Content-Length") or request.headers.get("X-Amz-Decoded-Content-Length")
        call.consumption.sent = int(length or 0)
        call.sent += call.consumption.sent

    @_harmless
    def _note_response(self, call: _Call, response: Any) -> None:
        if response is None:
            return
        http, parsed = response
        if _throttled(http.status_code, parsed):
            call.throttles += 1
        if not call.operation.head and http.status_code != 304:
            length = http.headers.get("Content-Length")
            # Without a length it was read piece by piece; what is a stream still is not touched.
            call.consumption.received = int(length or len(getattr(http, "_content", None) or b""))
            call.received += call.consumption.received

    @_harmless
    def _answered(self, http_response: Any, parsed: Any, context: dict[str, Any], **_: object) -> None:
        status = http_response.status_code
        if _throttled(status, parsed):
            outcome = "throttled"
        elif status >= 500:
            outcome = "server_error"
        else:
            # 304 is the answer that a conditional request hopes for.
            outcome = "client_error" if status >= 300 and status != 304 else "ok"
        self._tell(context, outcome, parsed)

    @_harmless
    def _failed(self, exception: BaseException, context: dict[str, Any], **_: object) -> None:
        from botocore.exceptions import ConnectionError as NoConnectionError  # noqa: PLC0415 - loaded already, here
        from botocore.exceptions import HTTPClientError  # noqa: PLC0415

        if isinstance(exception, DeadlineExceededError):
            outcome = "deadline"
        else:
            outcome = (
                "connection" if isinstance(exception, (HTTPClientError, NoConnectionError, OSError)) else "client_error"
            )
        self._tell(context, outcome, None)

    def _tell(self, context: dict[str, Any], outcome: str, parsed: Any) -> None:
        call: _Call | None = context.pop(_KEY, None)
        if call is None:
            return
        operation, tags = call.operation, call.operation.tags
        metrics.incr(AWS_CALLS.name, tags=operation.with_outcome(outcome))
        metrics.timing(AWS_CALL_TIME.name, 1000.0 * (time.monotonic() - call.started), tags=tags)
        retries = context.get("retries", {}).get("attempt", 1) - 1
        if retries:
            metrics.incr(AWS_RETRIES.name, retries, tags=tags)
        if call.throttles:
            metrics.incr(AWS_THROTTLES.name, call.throttles, tags=tags)
        if call.sent:
            metrics.incr(AWS_BYTES.name, call.sent, tags=operation.sent)
        if call.received:
            metrics.incr(AWS_BYTES.name, call.received, tags=operation.received)
        # AWS charges neither for its own errors nor for what it refuses to do yet.
        if operation.price is not None and outcome in {"ok", "client_error"} and parsed is not None:
            call.consumption.parsed = parsed
            price = operation.price.of(call.consumption)
            if price:
                metrics.incr(AWS_COST.name, price, tags=tags)


def _throttled(status: int, parsed: Any) -> bool:
    return status == 429 or (status >= 400 and parsed.get("Error", {}).get("Code") in _THROTTLE_CODES)

"""The server: takes requests, lets faults strike, and answers."""

import asyncio
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import partial
from typing import Any, Final

import orjson

from tests.sqs_stub.control import Control
from tests.sqs_stub.errors import SqsError
from tests.sqs_stub.faults import ActiveFault
from tests.sqs_stub.http import Caller
from tests.sqs_stub.operations import OPERATIONS, Operation
from tests.sqs_stub.service import Service

_REASONS: Final = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}
_REASONS_MORE: Final = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
_TYPES: Final = {
    "InvalidParameterValueException": "com.amazon.coral.service#InvalidParameterValueException",
    "MissingRequiredParameterException": "com.amazon.coral.service#MissingRequiredParameterException",
    "ThrottlingException": "com.amazon.coral.availability#ThrottlingException",
}

# The loop's timers may be early by the clock's resolution.
_A_MOMENT_SECONDS: Final = 0.002


class Server:
    """Answers the callers of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._control = Control(service)
        self._number = 0
        self._second = 0
        self._head = b""
        self._hanging: dict[Caller, tuple[ActiveFault, Callable[[], None]]] = {}
        self.callers: set[Caller] = set()
        service.faults.changed = self._go_on

    def handle(self, caller: Caller, target: bytes, head: bytes, body: bytes) -> bytes | None:
        """Answer one request, or let it wait."""
        operation = OPERATIONS.get(target)
        if operation is None:
            return self._other(caller, head, body)
        service = self._service
        service.calls[operation.name] += 1
        try:
            parameters = orjson.loads(body) if body else {}
        except orjson.JSONDecodeError:
            return self.error(SqsError("SerializationException", "The body is no JSON."))
        if not isinstance(parameters, dict):
            return self.error(SqsError("SerializationException", "The body is no JSON object."))
        if service.faults.active:
            return self._late(caller, operation, parameters)
        return self._perform(caller, operation, parameters)

    def _other(self, caller: Caller, head: bytes, body: bytes) -> bytes:
        line = head[: head.index(b"\r")].split(b" ")
        path = line[1].decode() if len(line) > 1 else ""
        if path == "/_stub/connections":
            for each in self.callers - {caller}:
                each.reset()
            return self._wrap(200, b"{}")
        if path.startswith("/_stub"):
            status, answer = self._control.answer(line[0].decode().upper(), path, body)
            return self._wrap(status, answer)
        return self.error(SqsError("InvalidActionException", "The stub does not have this action."))

    def _late(self, caller: Caller, operation: Operation, parameters: Mapping[str, Any]) -> bytes | None:
        seconds = self._service.faults.latency(operation.name)
        if seconds <= 0:
            return self._struck(caller, operation, parameters)
        self._later(seconds, partial(self._resume, caller, operation, parameters), caller)
        return None

    def _later(self, seconds: float, go_on: Callable[[], None], caller: Caller) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, go_on)
        caller.gone = timer.cancel

    def _resume(self, caller: Caller, operation: Operation, parameters: Mapping[str, Any]) -> None:
        caller.gone = None
        if not caller.connected:
            return
        answer = self._struck(caller, operation, parameters)
        if answer is not None:
            caller.answer(answer)

    def _struck(self, caller: Caller, operation: Operation, parameters: Mapping[str, Any]) -> bytes | None:
        faults, action = self._service.faults, operation.name
        hang = next(faults.strike_all("hang", action), None)
        if hang:
            self._hang(caller, partial(self._resume, caller, operation, parameters), hang)
            return None
        if faults.strike("reset", action):
            caller.reset()
            return None
        error = faults.error(action)
        if error:
            return self.error(error)
        if faults.strike("lose_answer", action):
            self._perform(caller, operation, parameters, lost=True)
            return None
        return self._perform(caller, operation, parameters)

    def _hang(self, caller: Caller, go_on: Callable[[], None], hang: ActiveFault) -> None:
        self._hanging[caller] = (hang, go_on)
        caller.gone = lambda: self._hanging.pop(caller, None) and None
        if hang.until != float("inf"):
            asyncio.get_running_loop().call_at(hang.until + _A_MOMENT_SECONDS, self._go_on)

    def _go_on(self) -> None:
        for caller, (hang, go_on) in list(self._hanging.items()):
            if hang.over:
                del self._hanging[caller]
                go_on()

    def _perform(
        self, caller: Caller, operation: Operation, parameters: Mapping[str, Any], *, lost: bool = False
    ) -> bytes | None:
        try:
            result = operation.perform(self._service, parameters)
        except SqsError as error:
            answer = self.error(error)
        except (AttributeError, TypeError, ValueError) as error:
            answer = self.error(SqsError("SerializationException", f"Something has the wrong type: {error}"))
        else:
            if not isinstance(result, bytes):
                caller.gone = result.cancel
                if lost:
                    result.begin(self._service.clock, lambda _body: caller.reset(), lambda: caller.connected)
                else:
                    result.begin(
                        self._service.clock, lambda body: caller.answer(self._wrap(200, body)), lambda: caller.connected
                    )
                return None
            answer = self._wrap(200, result)
        if lost:
            caller.reset()
            return None
        return answer

    def error(self, error: SqsError) -> bytes:
        """The whole answer for an error."""
        name = _TYPES.get(error.code, f"com.amazonaws.sqs#{error.code}")
        body = orjson.dumps({"__type": name, "message": error.message})
        fault = "Sender" if error.sender else "Receiver"
        return self._wrap(error.status, body, f"x-amzn-query-error: {error.query_code};{fault}\r\n".encode())

    def _wrap(self, status: int, body: bytes, more: bytes = b"") -> bytes:
        self._number += 1
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._head = (
                b"Content-Type: application/x-amz-json-1.0\r\nDate: %b\r\n" % formatdate(second, usegmt=True).encode()
            )
        reason = _REASONS.get(status) or _REASONS_MORE.get(status, "Error")
        return (
            b"HTTP/1.1 %d %b\r\n%b%bx-amzn-RequestId: 00000000-0000-4000-8000-%012x\r\nContent-Length: %d\r\n\r\n%b"
            % (
                status,
                reason.encode(),
                self._head,
                more,
                self._number,
                len(body),
                body,
            )
        )

"""The control path: queues are filled, faults set and the ledger read through `/_stub/...`, each with a JSON body."""

import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from tests.sqs_stub.errors import SqsError
from tests.sqs_stub.fault import Fault
from tests.sqs_stub.ledger import Ledger
from tests.sqs_stub.message import Message, State
from tests.sqs_stub.queues import Queue, statistics
from tests.sqs_stub.service import Service


class Control:
    """Answers the control path of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._actions = {
            "POST /_stub/queues": self._make,
            "POST /_stub/fill": self._fill,
            "GET /_stub/counts": self._counts,
            "GET /_stub/bodies": self._bodies,
            "POST /_stub/faults": self._faults,
            "DELETE /_stub/faults": self._clear,
            "GET /_stub/statistics": self._statistics,
            "DELETE /_stub/statistics": self._reset,
            "GET /_stub/ledger": self._ledger,
            "POST /_stub/ledger": self._switch_ledger,
            "POST /_stub/clock": self._clock,
        }

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The status and body for a request."""
        action = self._actions.get(f"{method} {path}")
        if action is None:
            return 404, orjson.dumps({"message": f"there is {', '.join(self._actions)}"})
        try:
            given: dict[str, Any] = orjson.loads(body) if body else {}
            return 200, orjson.dumps(action(given), option=orjson.OPT_NON_STR_KEYS)
        except (SqsError, ValueError, TypeError, KeyError) as error:
            return 400, orjson.dumps({"message": f"{type(error).__name__}: {error}"})

    def _queue(self, given: Mapping[str, Any]) -> Queue:
        name = given["queue"].rpartition("/")[2]
        found = self._service.queues.get(name)
        if found is None:
            raise ValueError(f"there is no queue {name!r}")
        return found

    def _make(self, given: Mapping[str, Any]) -> object:
        return {"url": self._service.create(given["queue"], given.get("attributes") or {}).url}

    def _fill(self, given: Mapping[str, Any]) -> object:
        queue = self._queue(given)
        bodies = given.get("bodies")
        groups = given.get("groups") or [""]
        made = []
        prefix = f"{zlib.crc32(queue.name.encode()):08x}"
        for number, body in enumerate(bodies if bodies is not None else map(str, range(given["count"]))):
            group = groups[number % len(groups)]
            message_id = f"{prefix}-0000-4000-8000-{queue._last_number + 1:012x}"
            message = Message(message_id, body, group=group, deduplication=f"{group}-{number}" if queue.fifo else "")
            queue.put(message, given.get("delay", 0))
            made.append(message_id)
        queue.wake()
        return {"ids": made}

    def _counts(self, given: Mapping[str, Any]) -> object:
        queue = self._queue(given)
        queue.release(self._service.clock.now())
        return {
            "visible": queue.counts[State.VISIBLE],
            "in_flight": queue.counts[State.IN_FLIGHT],
            "delayed": queue.counts[State.DELAYED],
        }

    def _bodies(self, given: Mapping[str, Any]) -> object:
        return {"bodies": [message.body for message in self._queue(given)._messages.values()]}

    def _faults(self, given: Mapping[str, Any]) -> object:
        faults = self._service.faults
        new = [Fault.of(each) for each in given.get("faults", ())]
        if given.get("seed") is not None:
            faults.seed(int(given["seed"]))
        if given.get("replace"):
            faults.clear()
        faults.add(new)
        return {}

    def _clear(self, given: Mapping[str, Any]) -> object:
        self._service.faults.clear(given.get("kinds") or ())
        return {}

    def _statistics(self, _given: Mapping[str, Any]) -> object:
        service = self._service
        queues = {name: statistics(queue) for name, queue in service.queues.items()}
        return {"calls": service.calls, "faults": service.faults.struck, "queues": queues}

    def _reset(self, _given: Mapping[str, Any]) -> object:
        self._service.calls.clear()
        self._service.faults.struck.clear()
        for queue in self._service.queues.values():
            queue.calls.clear()
            queue.entries.clear()
            queue.empty_receives = 0
        return {}

    def _ledger(self, given: Mapping[str, Any]) -> object:
        ledger = self._service.ledger
        if ledger is None:
            raise ValueError("the ledger is off")
        return {"events": ledger.of(given.get("queue"), given.get("message"))}

    def _switch_ledger(self, given: Mapping[str, Any]) -> object:
        self._service.ledger = Ledger() if given["on"] else None
        for queue in self._service.queues.values():
            queue.ledger = self._service.ledger
        return {}

    def _clock(self, given: Mapping[str, Any]) -> object:
        self._service.advance(float(given["seconds"]))
        return {"now": self._service.clock.now()}

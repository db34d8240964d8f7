"""The worker that is disturbed. Run by `baselib worker`.

Its variables: `RELIABILITY_NOTES` is the file for what it does, `RELIABILITY_DATABASE` the URL of the database for its
effects, `RELIABILITY_SECONDS` how long a job takes at most, `RELIABILITY_FAILURES` the share of deliveries that fail,
`RELIABILITY_VISIBILITY` and `RELIABILITY_PROCESSES` what the worker is made with. A body may be a number, or an object
with `seconds`, `fails` (the share) or `poison`.
"""

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselib.worker import Message, Retry, Worker
from baselib.worker.engine.queue import Queue
from tests.reliability.workers.notes import BEGUN, DONE, FAILED, RECEIVED, Notes

if TYPE_CHECKING:
    from sqlalchemy import Engine

_notes = Notes(Path(os.environ["RELIABILITY_NOTES"]))
_longest = float(os.environ.get("RELIABILITY_SECONDS", "0"))
_failures = float(os.environ.get("RELIABILITY_FAILURES", "0"))
# SQLite lets one write at a time; its way of waiting is far slower than a lock.
_writing = threading.Lock()


def _database() -> "Engine | None":
    url = os.environ.get("RELIABILITY_DATABASE")
    if not url:
        return None
    from sqlalchemy import create_engine  # noqa: PLC0415 - most runs have none

    return create_engine(url, connect_args={"timeout": 60})


_engine = _database()


def _noted(receive: Callable[..., list[dict[str, Any]]]) -> Callable[..., list[dict[str, Any]]]:
    """So that it is known which process held what: a stub cannot tell its callers apart."""

    @wraps(receive)
    def noted(queue: Queue, **asked: Any) -> list[dict[str, Any]]:
        found = receive(queue, **asked)
        entries = [
            (each["MessageId"], int(each["Attributes"]["ApproximateReceiveCount"]), each["Body"]) for each in found
        ]
        if entries:
            _notes.write(RECEIVED, *entries)
        return found

    return noted


Queue.receive = _noted(Queue.receive)  # type: ignore[method-assign]


def _effect(message: Message[str]) -> None:
    if _engine is None:
        return
    from sqlalchemy import text  # noqa: PLC0415 - as above

    from baselib.worker.idempotency import handled_before  # noqa: PLC0415

    with _writing, _engine.begin() as connection:
        if not handled_before(connection, message):
            connection.execute(text("INSERT INTO effects (message) VALUES (:id)"), {"id": message.id})


def handle(message: Message[str]) -> None:
    """Have an effect, take some time, and fail now and then."""
    entry = (message.id, message.receive_count, message.body)
    _notes.write(BEGUN, entry)
    body = json.loads(message.body)
    wanted = body if isinstance(body, dict) else {}
    # The same in every run of a seed, and for a message another time each time that it comes.
    drawn = random.Random(f"{message.id}-{message.receive_count}")
    if wanted.get("poison"):
        os.kill(os.getpid(), signal.SIGKILL)
    if drawn.random() < wanted.get("fails", _failures):
        _notes.write(FAILED, entry)
        raise Retry("it was drawn", delay=wanted.get("delay", drawn.choice((0, 1))))
    _effect(message)
    seconds = wanted.get("seconds", drawn.uniform(0, _longest))
    if seconds:
        time.sleep(seconds)
    _notes.write(DONE, entry)


worker = Worker(
    lambda worker: worker.handle(handle),
    threads=4,
    processes=int(os.environ.get("RELIABILITY_PROCESSES", "0")),
    visibility=int(os.environ.get("RELIABILITY_VISIBILITY", "120")),
)

"""The job that everybody does, and the message that is about it."""

import base64
import json
import mmap
import os
import struct
import time
import uuid
from pathlib import Path
from typing import Any, Final

LESSON: Final[dict[str, Any]] = {
    "event": "lesson.finished",
    "lesson": "spanish/basics/1",
    "learner": 7_204_551,
    "answers": ["el gato bebe leche", "la casa es grande", "yo como pan"],
    "seconds": 93.4,
    "score": 0.87,
    "finished": "2026-11-23T08:15:30Z",
}
"""The body: 200 bytes of JSON."""

QUEUE: Final = "bench"
_SIZE: Final = struct.calcsize("d")


class Length:
    """How long a job takes, in memory that whoever measures shares with every process of a consumer.

    Args:
        file: A file that `create` has made.
    """

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._shared = memoryview(mmap.mmap(opened.fileno(), _SIZE)).cast("d")

    @classmethod
    def create(cls, file: Path) -> "Length":
        """Make the file; jobs take no time at all until it is set."""
        file.write_bytes(struct.pack("d", 0.0))
        return cls(file)

    @property
    def seconds(self) -> float:
        """Seconds that each job takes."""
        return float(self._shared[0])

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        self._shared[0] = seconds


if "BENCHMARK_LENGTH" in os.environ:
    _length = Length(Path(os.environ["BENCHMARK_LENGTH"]))


def job(*_: object, **__: object) -> None:
    """Do nothing, or sleep."""
    seconds = _length.seconds
    if seconds:
        time.sleep(seconds)


def plain_body() -> str:
    """The body as it is."""
    return json.dumps(LESSON)


def pyqs_body() -> str:
    """As `pyqs` sends it."""
    return json.dumps({"task": f"{__name__}.{job.__name__}", "args": [], "kwargs": LESSON})


def dramatiq_body() -> str:
    """As `dramatiq_sqs` sends it."""
    message = {
        "queue_name": QUEUE,
        "actor_name": "job",
        "args": [],
        "kwargs": LESSON,
        "options": {},
        "message_id": str(uuid.uuid4()),
        "message_timestamp": int(time.time() * 1000),
    }
    return base64.b64encode(json.dumps(message).encode()).decode()


def celery_body() -> str:
    """As Celery sends it through kombu, version 2 of its protocol.

    https://docs.celeryq.dev/en/stable/internals/protocol.html
    """
    identity = str(uuid.uuid4())
    headers = {
        "lang": "py",
        "task": "job",
        "id": identity,
        "root_id": identity,
        "parent_id": None,
        "group": None,
        "shadow": None,
        "eta": None,
        "expires": None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": "()",
        "kwargsrepr": repr(LESSON),
        "origin": "bench",
        "ignore_result": True,
    }
    properties = {
        "correlation_id": identity,
        "reply_to": str(uuid.uuid4()),
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": QUEUE},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    chain = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    message = {
        "body": base64.b64encode(json.dumps([[], LESSON, chain]).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": properties,
    }
    return base64.b64encode(json.dumps(message).encode()).decode()

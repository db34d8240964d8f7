"""A worker whose handlers run in processes; the tests import it in theirs, and the processes in theirs."""

import functools
import os
import signal
import time
from pathlib import Path

from baselib.lifecycle import Life
from baselib.worker import Message, Reject, Worker
from baselib.worker.engine.lease import Lease
from tests.baselib.processes import IDENTITY


def handle(message: Message[str]) -> None:
    """Do what the body says; where, is in the file that the attribute names."""
    Path(message.attributes["file"]).write_text(str(os.getpid()))
    match message.body:
        case "reject":
            raise Reject("never")
        case "exit":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(600)
        case "remaining":
            Path(message.attributes["file"]).write_text(str(message.remaining))
        case "clean-up":
            assert isinstance(message.held, Lease)
            message.held.on_deleted = functools.partial(Path(message.attributes["file"]).write_text, "cleaned up")


def register(worker: Worker) -> None:
    """Register the handler."""
    worker.handle(handle, limit=60.0)


worker = Worker(
    register,
    processes=2,
    environ={**IDENTITY, "QUEUE_URL": "http://127.0.0.1:9/1/main"},
    life=Life(),
)

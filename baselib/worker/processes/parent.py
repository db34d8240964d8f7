"""The worker's side of the handlers' processes: each thread of the pool has one, and waits for it."""

import contextlib
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import Outcome, Verdict
from baselib.worker.processes.protocol import Order, Result

_logger = logging.getLogger("baselib.worker")

# Of importing the service, and of what it does at its start.
_START_SECONDS: Final = 300.0
# After its limit a handler gets a moment, so that one that watches its deadline can end by itself.
_GRACE_SECONDS: Final = 2.0
_END_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 1.0


class ProcessDiedError(RuntimeError):
    """A handler's process ended, or could not begin."""


class Processes:
    """The processes of a worker's handlers.

    Args:
        location: `package.module:name` of the Worker, which they import.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._lock = threading.Lock()
        self._of_thread = threading.local()
        self._children: list[_Child] = []
        self._closed = False

    @property
    def ids(self) -> list[int]:
        """The ids of the processes that run."""
        with self._lock:
            return [child.id for child in self._children]

    def prepare(self) -> None:
        """Begin the process of the thread that calls this; what goes wrong is told with its first message."""
        try:
            self._child()
        except (ProcessDiedError, OSError):
            self.end_mine()

    def end_mine(self) -> None:
        """End the process of the thread that calls this, if it has one."""
        child: _Child | None = getattr(self._of_thread, "child", None)
        if child is not None:
            self._of_thread.child = None
            with self._lock, contextlib.suppress(ValueError):
                self._children.remove(child)
            child.end(0.0)

    def handling(self, queue: str | None, limit: float | None) -> Callable[[Sequence[Lease]], list[Verdict]]:
        """What handles the messages of a queue in the process of the thread that calls it.

        Args:
            queue: The name of a further queue; the worker's own when None.
            limit: Seconds that a handler may take: its process is ended when it takes longer.
        """

        def handle(leases: Sequence[Lease]) -> list[Verdict]:
            try:
                results = self._child().handle(queue, leases, limit)
            except (ProcessDiedError, OSError, EOFError) as error:
                if self._closed:
                    # Ended by the drain, which has given the messages back.
                    return [Verdict(Outcome.RETRIED)] * len(leases)
                self.end_mine()
                ids = [lease.raw["MessageId"] for lease in leases]
                _logger.error("the handler's process died", extra={"reason": str(error), "message_ids": ids})  # noqa: TRY400 - the stack is ours
                # A process that cannot even begin must not be begun again and again without a pause.
                time.sleep(_PAUSE_SECONDS)
                return [Verdict(Outcome.RETRIED, None, str(error))] * len(leases)
            for lease, result in zip(leases, results, strict=True):
                lease.on_deleted = result.on_deleted
            return [result.verdict for result in results]

        return handle

    def close(self) -> None:
        """End all processes, those first that have nothing to do."""
        with self._lock:
            self._closed = True
            children, self._children = self._children, []
        for child in children:
            child.let_go()
        deadline = time.monotonic() + _END_SECONDS
        for child in children:
            child.end(max(0.0, deadline - time.monotonic()))

    def _child(self) -> "_Child":
        child: _Child | None = getattr(self._of_thread, "child", None)
        if child is None:
            child = _Child(self._location)
            with self._lock:
                if self._closed:
                    child.end(0.0)
                    raise ProcessDiedError("the worker ends")
                self._children.append(child)
            self._of_thread.child = child
            child.wait_until_ready()
        return child


class _Child:
    def __init__(self, location: str) -> None:
        self._connection, theirs = multiprocessing.Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "baselib.worker.processes.child", location, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )

    @property
    def id(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        if not self._connection.poll(_START_SECONDS):
            raise ProcessDiedError(f"it was not ready within {_START_SECONDS:g} s")
        self._received()

    def handle(self, queue: str | None, leases: Sequence[Lease], limit: float | None) -> list[Result]:
        deadline = leases[0].deadline
        remaining = None if deadline is None else deadline - time.monotonic()
        self._connection.send(Order(queue, [lease.raw for lease in leases], remaining))
        if not self._connection.poll(None if limit is None else limit + _GRACE_SECONDS):
            raise ProcessDiedError(f"ended because the handler took longer than {limit:g} s")
        results: list[Result] = self._received()
        return results

    def _received(self) -> list[Result]:
        try:
            results: list[Result] = self._connection.recv()
        except (EOFError, OSError):
            try:
                code = self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                raise ProcessDiedError("it closed its connection") from None
            raise ProcessDiedError(f"signal {-code}" if code < 0 else f"exit code {code}") from None
        return results

    def let_go(self) -> None:
        """Let it end when it has nothing to do."""
        with contextlib.suppress(OSError):
            self._connection.close()

    def end(self, seconds: float) -> None:
        """End it, at the latest in so many seconds."""
        self.let_go()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

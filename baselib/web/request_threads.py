"""The threads of a worker that run the application, and the requests that wait for one of them."""

import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from baselib.web.connections import Connection

# Each costs a stack of some 50 KiB; beyond them the client that has made its thread wait longest is cut off.
_MOST_HELD: Final = 600

_logger = logging.getLogger("baselib.web")


class RequestThreads:
    """A fixed number of threads with a queue from which what nobody waits for any more can be taken back.

    It does less than `concurrent.futures`, which makes a lock and a future for each request.

    Args:
        count: How many threads there are.
        handle: Answers a request; says whether the connection may be used again.
        finished: Is told of each request in the thread that ran it, with what `handle` said.

    Attributes:
        waiting: The connections whose request no thread has begun.
        running: The connection whose request a thread runs, by the thread's id.
        held: The connections whose client makes their thread wait, the one that was so first coming first.
    """

    def __init__(
        self, count: int, handle: Callable[[Connection], bool], finished: Callable[[Connection, bool], None]
    ) -> None:
        self.count = count
        self.waiting: dict[Connection, None] = {}
        self.running: dict[int, Connection] = {}
        self.held: dict[Connection, None] = {}
        self._alive = 0
        self._lock = threading.Lock()
        self._handle = handle
        self._finished = finished
        self._queue: SimpleQueue[Connection | None] = SimpleQueue()

    def start(self) -> None:
        """Start the threads, after the fork."""
        for _ in range(self.count):
            self._add()

    def _add(self) -> None:
        # A daemon, so that a hung request does not keep the process once its time to stop is over.
        threading.Thread(target=self._run, name=f"request-{self._alive}", daemon=True).start()
        self._alive += 1

    def hold(self, connection: Connection) -> None:
        """The client of a request makes its thread wait: another thread takes its place."""
        with self._lock:
            self.held[connection] = None
            if len(self.held) > _MOST_HELD:
                slowest = next(iter(self.held))
                del self.held[slowest]
                slowest.sock.cut()
            elif self._alive < self.count + len(self.held):
                self._add()

    def release(self, connection: Connection) -> None:
        """The client has moved."""
        with self._lock:
            self.held.pop(connection, None)

    def _is_spare(self) -> bool:
        with self._lock:
            spare = self._alive > self.count + len(self.held)
            self._alive -= spare
            return spare

    def submit(self, connection: Connection) -> None:
        """Have a request answered."""
        self.waiting[connection] = None
        self._queue.put(connection)

    def withdraw(self, connection: Connection) -> bool:
        """Take a request back; False when a thread has begun with it."""
        return self.waiting.pop(connection, self) is None

    def shutdown(self, wait: bool = False) -> None:
        """Let each thread end when its request is answered; nobody waits for that."""
        for _ in range(self._alive):
            self._queue.put(None)

    def _run(self) -> None:
        me = threading.get_ident()
        while (connection := self._queue.get()) is not None:
            if not self.withdraw(connection):
                continue
            connection.started = time.monotonic()
            connection.reported = False
            self.running[me] = connection
            connection.sock.holder = (self, connection)
            again = False
            try:
                connection.hand_over()
                again = self._handle(connection)
            except BaseException:
                # Whatever it is, it must not end the thread and leave the worker one short.
                _logger.exception("request failed")
            finally:
                connection.environ, connection.head = {}, b""
                del self.running[me]
                connection.sock.holder = None
                self._finished(connection, again)
            if self._alive > self.count and self._is_spare():
                return

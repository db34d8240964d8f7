"""The threads that handle messages, shared by the queues of a worker according to their weights.

A thread is woken only where there is work for it: handing each of a thousand short messages to a thread of its own
would cost more than the messages do.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from baselib.worker.engine.lease import Lease
from baselib.worker.engine.line import Line
from baselib.worker.engine.pace import Pace

_logger = logging.getLogger("baselib.worker")

# What waits for so long behind a message that takes longer than the last ones did gets another thread.
_STANDBY_SECONDS: Final = 0.02


@dataclass(slots=True, eq=False)
class Share:
    """A queue's part in the pool.

    Attributes:
        line: What waits.
        pace: How long its messages take.
        handle: Handles messages that were taken from the line; never raises.
        weight: How many of its messages are begun for one of a queue of weight 1, while both have some.
        batch: How many messages a call of `handle` takes at most.
        begun: How many were begun, divided by the weight.
    """

    line: Line
    pace: Pace
    handle: Callable[[Sequence[Lease]], None]
    weight: float = 1.0
    batch: int = 1
    begun: float = 0.0


class Pool:
    """Threads that handle messages.

    Args:
        threads: How many.
        prepare: What each does before its first message; never raises.
    """

    def __init__(self, threads: int, prepare: Callable[[], object] | None = None) -> None:
        self.threads = threads
        self._prepare = prepare
        self._shares: list[Share] = []
        self._changed = threading.Condition()
        self._idle = 0
        self._closed = False
        # That of the queue which was served last: where one starts that had nothing to do.
        self._begun = 0.0
        # Whether a thread is about to look whether what waits needs it.
        self._standby = self._standby_wanted = False
        self._ids: set[int] = set()

    def attach(self, share: Share) -> None:
        """Let a queue's messages be handled."""
        self._shares.append(share)

    def start(self) -> None:
        """Begin."""
        for number in range(self.threads):
            worker = threading.Thread(target=self._work, name=f"handle-{number}", daemon=True)
            worker.start()
            if worker.ident is not None:
                self._ids.add(worker.ident)

    @property
    def waiting(self) -> bool:
        """Whether messages wait for a thread."""
        return any(share.line for share in self._shares)

    def offer(self, share: Share, leases: Iterable[Lease]) -> None:
        """Let messages wait for a thread."""
        with self._changed:
            if not share.line:
                # Who had nothing to do gets no credit for it.
                share.begun = max(share.begun, self._begun)
            share.line.put(leases)
            # A thread of the pool that offers what it has received takes the first of it itself.
            mine = threading.get_ident() in self._ids
            self._changed.notify(share.pace.threads_for(len(share.line)) - mine)

    def finished(self, share: Share, lease: Lease, *, in_order: bool) -> list[Lease]:
        """Learn that a message was handled; see `Line.finished`."""
        with self._changed:
            before = len(share.line)
            given_back = share.line.finished(lease, in_order=in_order)
            if len(share.line) > before and self._idle:
                self._changed.notify()
            return given_back

    def withdraw(self, share: Share) -> None:
        """Hand out nothing more of a queue."""
        with self._changed:
            share.line.clear()

    def close(self) -> None:
        """Let the threads end when they have handled what they have begun with."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        if self._prepare is not None:
            self._prepare()
        while (taken := self._next()) is not None:
            share, leases = taken
            share.handle(leases)

    def _next(self) -> tuple[Share, list[Lease]] | None:
        with self._changed:
            while not self._closed:
                taken = self._take()
                if taken is not None:
                    if self._idle and not self._standby and self.waiting:
                        self._standby = self._standby_wanted = True
                        self._changed.notify()
                    return taken
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
                if self._standby_wanted:
                    self._stand_by()
        return None

    def _stand_by(self) -> None:
        """Give the threads at work a moment to take what waits."""
        self._standby_wanted = False
        self._changed.release()
        try:
            time.sleep(_STANDBY_SECONDS)
        finally:
            self._changed.acquire()
            self._standby = False

    def _take(self) -> tuple[Share, list[Lease]] | None:
        best = None
        for share in self._shares:
            if share.line and (best is None or share.begun < best.begun):
                best = share
        if best is None:
            return None
        leases = best.line.take(best.batch)
        self._begun = best.begun
        best.begun += len(leases) / best.weight
        return best, leases

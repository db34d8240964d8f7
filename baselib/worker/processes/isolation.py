"""The last attempt at a message, in a process of its own.

A message that makes its process crash, or takes all of its memory, would otherwise end the worker again and again. What
the worker held besides would come again each time too, and end in the dead-letter queue together with it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import Verdict
from baselib.worker.processes.parent import Processes

# Where many reach their last attempt at once, because something that they all need is gone, the others must go on.
_PATIENCE_SECONDS: Final = 5.0

Handle = Callable[[Sequence[Lease]], Sequence[Verdict]]


class Isolation:
    """Handles messages one at a time, each in a fresh process.

    Args:
        processes: Begins them.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        # One at a time, because each needs as much memory as the service does.
        self._lock = threading.Lock()

    def handling(self, queue: str | None, limit: float | None, otherwise: Handle) -> Handle:
        """What handles the messages of a queue.

        Args:
            queue: The name of a further queue; the worker's own when None.
            limit: Seconds that a handler may take: its process is ended when it takes longer.
            otherwise: Handles them where another message is isolated for long.
        """
        handle = self._processes.handling(queue, limit)

        def alone(leases: Sequence[Lease]) -> Sequence[Verdict]:
            if not self._lock.acquire(timeout=_PATIENCE_SECONDS):
                return otherwise(leases)
            try:
                self._processes.prepare()
                if limit is not None:
                    # What was waited for is not the handler's time.
                    for lease in leases:
                        lease.deadline = time.monotonic() + limit
                return handle(leases)
            finally:
                self._processes.end_mine()
                self._lock.release()

        return alone

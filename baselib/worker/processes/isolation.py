"""The last attempt at a message, in a process of its own.

A message that makes its process crash, or takes all of its memory, would otherwise end the worker again and again. What
the worker held besides would come again each time too, and end in the dead-letter queue together with it.
"""

import threading
from collections.abc import Callable, Sequence

from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import Verdict
from baselib.worker.processes.parent import Processes


class Isolation:
    """Handles messages one at a time, each in a fresh process.

    Args:
        processes: Begins them.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        # One at a time, because each needs as much memory as the service does.
        self._lock = threading.Lock()

    def handling(self, queue: str | None, limit: float | None) -> Callable[[Sequence[Lease]], Sequence[Verdict]]:
        """What handles the messages of a queue.

        Args:
            queue: The name of a further queue; the worker's own when None.
            limit: Seconds that a handler may take: its process is ended when it takes longer.
        """
        handle = self._processes.handling(queue, limit)

        def alone(leases: Sequence[Lease]) -> Sequence[Verdict]:
            with self._lock:
                try:
                    return handle(leases)
                finally:
                    self._processes.end_mine()

        return alone

"""Looking into SQS queues, above all dead-letter queues, and emptying them: what `baselib queue` does.

For a person with AWS credentials of their own: nothing here reads a service's settings.

from baselib.queues import find_queue

find_queue("duolingo-orders").dead_letters().counts().visible
"""

from typing import TYPE_CHECKING

from baselib.lazy import lazy_names

if TYPE_CHECKING:
    from baselib.queues.counts import Counts
    from baselib.queues.errors import QueueError, UsageError
    from baselib.queues.queue import OperatedQueue, find_queue

__all__ = ["Counts", "OperatedQueue", "QueueError", "UsageError", "find_queue"]

_HOMES = {
    "Counts": "baselib.queues.counts",
    "OperatedQueue": "baselib.queues.queue",
    "QueueError": "baselib.queues.errors",
    "UsageError": "baselib.queues.errors",
    "find_queue": "baselib.queues.queue",
}
__getattr__ = lazy_names(__name__, _HOMES)

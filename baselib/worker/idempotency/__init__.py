"""The same message twice, its effect once: how exactly that holds depends on where the record of it is kept.

- `handled_before` keeps the record in the service's own SQL database, in the transaction of the effect: the effect is
  there exactly once, whatever crashes when, for as long as the record is kept.
- `Idempotency` with `DynamoDBStore` keeps it beside the effect, which is why its guarantee is a bounded window: see
  there for what repeats an effect.

Both are described in docs/how-to/idempotency.md.
"""

from baselib.worker.idempotency.dynamodb import DynamoDBStore
from baselib.worker.idempotency.handled import forget_handled, handled_before
from baselib.worker.idempotency.handled_table import create_handled_messages, handled_messages
from baselib.worker.idempotency.hold import Hold
from baselib.worker.idempotency.idempotency import Idempotency
from baselib.worker.idempotency.memory import MemoryStore
from baselib.worker.idempotency.store import Record, Store

__all__ = [
    "DynamoDBStore",
    "Hold",
    "Idempotency",
    "MemoryStore",
    "Record",
    "Store",
    "create_handled_messages",
    "forget_handled",
    "handled_before",
    "handled_messages",
]

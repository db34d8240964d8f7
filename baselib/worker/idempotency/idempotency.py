"""Idempotency around a handler, with a record beside the effect.

>>> from baselib.worker.idempotency.memory import MemoryStore
>>> idempotency = Idempotency(MemoryStore())
>>> idempotency.configure(Settings(product="duolingo", service="mailer", owner="platform"))
>>> welcome = Message(id="m-1", body="Ana", attributes={}, receive_count=1, sent=0.0, queue="main")
>>> idempotency.run(welcome, lambda message: print("welcome", message.body), seconds=60)
welcome Ana
True
>>> idempotency.run(welcome, lambda message: print("welcome", message.body), seconds=60)
False
"""

import math
import time
import uuid
from collections.abc import Callable
from typing import Any, Final, TypeVar

from baselib.contract import Settings
from baselib.worker.idempotency.bodies import body_hash, require_same_body
from baselib.worker.idempotency.duplicates import tell_duplicate
from baselib.worker.idempotency.hold import Hold, expiry
from baselib.worker.idempotency.keys import Key, queue_key
from baselib.worker.idempotency.store import Record, Store
from baselib.worker.message import Message, Retry

_Body = TypeVar("_Body")

# SQS keeps no message for longer, so that none of its own duplicates comes later
# (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html).
_WINDOW_SECONDS: Final = 14 * 86_400


class Idempotency:
    """Lets a handler do its work once for each key, within a window.

    The record lies beside the effect, so that this is no "exactly once". While the store answers, the work is not begun
    by two at a time, and not again after it was done, except when

    - the process ends (SIGKILL, a lost machine), or the store fails, after the effect and before the record says
      `done`: the effect is repeated when the record's time is over;
    - the work takes longer than its record is held and nobody extends it: somebody else begins;
    - a duplicate comes after the window;
    - the clocks of two tasks differ: all times above move by the difference.

    Where the store cannot be reached nothing is done: its error is raised and the message comes again.

    Args:
        store: Where records are kept.
        key: What names the message, the same for all that ask for the same effect; its `event_id` when None, which
            does not recognise a message that was sent twice, or that was redriven from a dead-letter queue.
        window: Seconds for which a message is recognised after its work was done; by default the 14 days for which SQS
            keeps a message at most.
        check_body: Whether a message with a known key and another body is rejected instead of skipped.

    Raises:
        ValueError: The window is no positive number of seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        key: Callable[[Message[Any]], Key] | None = None,
        window: float = _WINDOW_SECONDS,
        check_body: bool = True,
    ) -> None:
        _require_positive("window", window)
        self._store = store
        self._key = key
        self._window = window
        # Nobody gives one id to two bodies.
        self._checks_body = check_body and key is not None
        self._prefix: str | None = None

    def configure(self, settings: Settings) -> None:
        """Learn whose records these are, and where; `Worker.handle` calls it.

        Args:
            settings: The service's settings.

        Raises:
            ConfigurationError: They do not say where the store is.
        """
        self._store.configure(settings)
        self._prefix = f"idempotency#{settings.name.repository}#"

    def run(self, message: Message[_Body], function: Callable[[Message[_Body]], object], *, seconds: float) -> bool:
        """Call a function with a message, unless its work was done before.

        Args:
            message: The message.
            function: Does the work. When it raises, the message may be handled again at once.
            seconds: For how long nobody else begins; longer than the function takes. See `begin`.

        Returns:
            Whether it was called.

        Raises:
            Retry: Somebody else is at it.
            Reject: The key is missing, or belongs to another body.
            Exception: The function's own, and the store's when it cannot be asked whether to begin.
        """
        hold = self.begin(message, seconds=seconds)
        if hold is None:
            return False
        try:
            function(message)
        except BaseException:
            hold.release()
            raise
        hold.finish()
        return True

    def begin(self, message: Message[Any], *, seconds: float) -> Hold | None:
        """Ask whether to handle a message; who does so calls the hold's `finish` or `release` afterwards.

        A process that is killed leaves its record behind. Until it expires its message is answered with a `Retry` whose
        delay ends just then, which costs one receive; whether the message comes with the same id or a higher receive
        count makes no difference, because both are also seen while the first handler is still at work. So let
        `seconds` be the visibility time-out, and extend the hold together with the visibility.

        Args:
            message: The message.
            seconds: For how long nobody else begins.

        Returns:
            None when its work was done before: nothing is left to do.

        Raises:
            Retry: Somebody else is at it; with the delay after which their time is over.
            Reject: The key is missing, or belongs to another body.
            ValueError: `seconds` is no positive number.
            LookupError: `configure` was not called.
            Exception: Whatever the store raises when it cannot be reached.
        """
        _require_positive("seconds", seconds)
        if self._prefix is None:
            raise LookupError(
                "idempotency is not configured: Worker.handle does it, or idempotency.configure(settings)"
            )
        name = message.event_id if self._key is None else self._key(message)
        key = self._prefix + queue_key(message.queue, name)
        now = time.time()
        record = Record(
            status="in_progress",
            # Another one each time: with the same one a thread could not tell a record of its process's other threads.
            holder=uuid.uuid4().hex,
            body_hash=body_hash(message.body) if self._checks_body else None,
            expires=expiry(now, seconds),
        )
        other = self._store.put(key, record, now)
        if other is None:
            return Hold(self._store, key, record, self._window)
        if other.status == "in_progress":
            # Its body does not matter yet: where that work fails, the key is free again.
            raise Retry("somebody else is handling the same", delay=max(1, math.ceil(other.expires - now)))
        require_same_body(other.body_hash, record.body_hash)
        tell_duplicate(message)
        return None


def _require_positive(name: str, seconds: float) -> None:
    # Written so that "not a number" is refused too.
    if not 0 < seconds < math.inf:
        raise ValueError(f"{name} is {seconds!r}: accepted is a positive number of seconds")

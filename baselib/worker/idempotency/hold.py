"""The right to handle a message, from the moment its record says so until the work is done or has failed."""

import logging
import math
import threading
import time
from collections.abc import Callable
from contextvars import Context
from dataclasses import replace
from typing import TypeVar

from baselib.worker.idempotency.store import Record, Store

_T = TypeVar("_T")

_logger = logging.getLogger("baselib.worker")


def expiry(now: float, seconds: float) -> int:
    """When something that begins now has expired: the TTL of DynamoDB knows whole seconds only.

    Args:
        now: The time, in seconds since 1970.
        seconds: How long it lasts.
    """
    return math.ceil(now + seconds)


class Hold:
    """The right of one attempt to handle a message; `Idempotency.begin` gives it.

    It ends with `finish` or `release`, and by itself when its time is over: others may then begin. `extend` gives more
    time. Two threads may use it at a time.
    """

    def __init__(self, store: Store, key: str, record: Record, window: float) -> None:
        self._store = store
        self._key = key
        self._record = record
        self._window = window
        self._lock = threading.Lock()
        self._ended = False

    def extend(self, seconds: float) -> bool:
        """Hold it until so many seconds from now, as a heartbeat of work that takes long.

        Args:
            seconds: The time from now.

        Returns:
            False when it has ended, or when its time was over and somebody else has begun.

        Raises:
            Exception: Whatever the store raises when it cannot be reached; the hold lasts as long as it did.
        """
        with self._lock:
            if self._ended:
                return False
            now = time.time()
            record = replace(self._record, expires=expiry(now, seconds))
            return self._store.put(self._key, record, now) is None

    def finish(self) -> None:
        """Record that the work is done: duplicates are not handled until the window is over.

        A store that fails is logged and no more. The work is done, so the message is better deleted than handled again;
        a duplicate that comes after the hold's time is handled.
        """
        with self._lock:
            self._ended = True
            now = time.time()
            record = replace(self._record, status="done", expires=expiry(now, self._window))
            try:
                other = _without_deadline(lambda: self._store.put(self._key, record, now))
            except Exception:
                _logger.exception("work done, but not recorded: a duplicate of the message would repeat it")
                return
        if other is not None:
            _logger.error("the work took longer than its record was held: somebody else has begun with it too")

    def release(self) -> None:
        """Give it up because the work has failed: the message may be handled again at once.

        A store that fails is logged and no more: the message may be handled again when the hold's time is over.
        """
        with self._lock:
            self._ended = True
            try:
                _without_deadline(lambda: self._store.remove(self._key, self._record.holder))
            except Exception:
                _logger.exception("the record of failed work is kept: the message waits until it expires")


def _without_deadline(call: Callable[[], _T]) -> _T:
    # The message's time may be over; nothing is called with none left, and what has happened has to be written down.
    return Context().run(call)

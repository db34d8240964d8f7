"""A lock between the tasks of a service: an item of the coordination table, held for as long as it is renewed.

The item outlives the lock, because its fencing token has to grow for ever. Leases are compared with this machine's
clock, and another run waits a margin longer than a lease lasts, so that clocks may differ by that much; the holder
trusts only its own monotonic clock, and ends before the margin does.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from baselib.concurrency import start_thread
from baselib.worker.cron.last_resort import LastResort
from baselib.worker.cron.lock import Holder, LockUnavailableError
from baselib.worker.cron.table import CALL_SECONDS, Item, RefusedError, change_item

# A 60 s lease is renewed every 15 s, given up 5 s before its end, and respected for 10 s after it.
_RENEWALS_IN_A_LEASE: Final = 4
_RETRIES_IN_A_LEASE: Final = 30
_GIVEN_UP_SHARE: Final = 1 / 12
_MARGIN_SHARE: Final = 1 / 6
_RELEASE_SECONDS: Final = 2.0

_logger = logging.getLogger("baselib.worker")


class TableLock:
    """An item with an owner and the end of his lease.

    Args:
        table: The table's name.
        key: The item's key.
        lease_seconds: For how long it is held without being renewed.
        clock: Says the time in seconds since 1970.
    """

    def __init__(self, table: str, key: str, lease_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._key = key
        self._lease = lease_seconds
        self._clock = clock
        self._owner = uuid.uuid4().hex
        self._until = 0.0
        self._tried = False
        self._released = threading.Event()
        self.token: int | None = None

    def acquire(self, holder: str) -> Holder | None:
        """Take it; who has it, when somebody else does.

        Args:
            holder: What another run is told of this one.

        Raises:
            LockUnavailableError: DynamoDB did not say whether somebody has it.
        """
        self._tried = True
        began, now = time.monotonic(), self._clock()
        try:
            item = change_item(
                self._table,
                self._key,
                "SET #owner = :owner, #holder = :holder, #since = :since, #lease_until = :until ADD #token :one",
                "attribute_not_exists(#lease_until) OR #lease_until < :over",
                {
                    ":owner": {"S": self._owner},
                    ":holder": {"S": holder},
                    ":since": {"S": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")},
                    ":until": _number(now + self._lease),
                    ":over": _number(now - self._lease * _MARGIN_SHARE),
                    ":one": {"N": "1"},
                },
            )
        except RefusedError as refused:
            item = refused.item
            # An attempt whose answer was lost may have taken it.
            if item.get("owner", {}).get("S") != self._owner:
                return Holder(_text(item, "holder"), _text(item, "since"))
        except Exception as error:
            raise LockUnavailableError(
                f"the table {self._table} did not say whether another run is going on: {error}"
            ) from error
        self._until = began + self._lease
        self.token = int(item["token"]["N"])
        return None

    def keep(self, lost: Callable[[str], object], last_resort: LastResort) -> None:
        """Renew it from a thread for as long as the run takes.

        Args:
            lost: Called, with the reason, when that fails.
            last_resort: Ends the process where it can neither renew the lock nor be told so.

        Raises:
            LockUnavailableError: The process may have no further thread.
        """
        last_resort.set("lock", self._last_moment)
        if start_thread(self._renew_until_released, lost, last_resort, name="baselib-cron-lock") is None:
            raise LockUnavailableError("the lock cannot be kept: the process may have no further thread")

    def release(self) -> None:
        """Give it back, if it is still ours; otherwise, and when DynamoDB does not answer, it ends by itself."""
        if not self._tried or self._released.is_set():
            return
        self._released.set()
        try:
            change_item(
                self._table,
                self._key,
                "REMOVE #owner, #holder, #since, #lease_until",
                "#owner = :owner",
                {":owner": {"S": self._owner}},
                _RELEASE_SECONDS,
            )
        except RefusedError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the lease ends
            _logger.warning("the lock was not released: it ends with its lease", extra={"reason": str(error)})

    @property
    def _last_moment(self) -> float:
        """When the process must have ended that could not renew: half the margin is for the clocks."""
        return self._until + self._lease * _MARGIN_SHARE / 2

    def _renew_until_released(self, lost: Callable[[str], object], last_resort: LastResort) -> None:
        pause = self._lease / _RENEWALS_IN_A_LEASE
        while not self._released.wait(pause):
            left = self._until - self._lease * _GIVEN_UP_SHARE - time.monotonic()
            if left <= 0:
                lost("the lock was not renewed before its end: DynamoDB did not answer")
                return
            try:
                self._renew(min(left, CALL_SECONDS))
            except RefusedError as refused:
                if not self._released.is_set():
                    lost(f"the lock was taken by another run: {_text(refused.item, 'holder')}")
                return
            except Exception as error:  # noqa: BLE001 - until its end there is time for another attempt
                _logger.warning("the lock was not renewed yet", extra={"reason": str(error)})
                pause = self._lease / _RETRIES_IN_A_LEASE
            else:
                pause = self._lease / _RENEWALS_IN_A_LEASE
                if not self._released.is_set():
                    last_resort.set("lock", self._last_moment)

    def _renew(self, seconds: float) -> None:
        began = time.monotonic()
        change_item(
            self._table,
            self._key,
            "SET #lease_until = :until",
            "#owner = :owner",
            {":owner": {"S": self._owner}, ":until": _number(self._clock() + self._lease)},
            seconds,
        )
        self._until = began + self._lease


def _number(seconds: float) -> dict[str, str]:
    return {"N": f"{seconds:.3f}"}


def _text(item: Item, name: str) -> str:
    return item.get(name, {}).get("S", "unknown")

"""Records in this process, for tests."""

import threading

from baselib.contract import Settings
from baselib.worker.idempotency.store import Record, may_replace


class MemoryStore:
    """Keeps records in memory: what another process has handled it does not know, and a restart forgets everything."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}

    def configure(self, settings: Settings) -> None:
        """See `Store.configure`; there is nothing to learn."""

    def put(self, key: str, record: Record, now: float) -> Record | None:
        """See `Store.put`."""
        with self._lock:
            old = self._records.get(key)
            if old is not None and not may_replace(old, record, now):
                return old
            self._records[key] = record
            return None

    def remove(self, key: str, holder: str) -> None:
        """See `Store.remove`."""
        with self._lock:
            old = self._records.get(key)
            if old is not None and old.holder == holder:
                del self._records[key]

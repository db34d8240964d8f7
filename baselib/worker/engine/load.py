"""How busy this process keeps the interpreter."""

import threading
import time
from typing import Final

_SAMPLE_SECONDS: Final = 0.1
# The interpreter runs one thread at a time: with so much of a processor in use, another thread only waits for it.
_SATURATED: Final = 0.6


class Load:
    """The share of a processor that this process has used of late."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = time.monotonic()
        self._used = time.process_time()
        self._share = 0.0

    def saturated(self) -> bool:
        """Whether another thread would not make this process any quicker."""
        now = time.monotonic()
        if now - self._at >= _SAMPLE_SECONDS:
            with self._lock:
                if now > self._at:
                    used = time.process_time()
                    self._share = (used - self._used) / (now - self._at)
                    self._at, self._used = now, used
        return self._share > _SATURATED

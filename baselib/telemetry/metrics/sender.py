"""The thread that sends what a client's callers have left behind."""

import logging
import threading
import time
from collections import deque
from typing import Final, Protocol

from baselib.concurrency import start_thread
from baselib.telemetry.metrics.transport import UdpTransport

_FLUSH_SECONDS: Final = 0.25

_logger = logging.getLogger(__name__)


class Source(Protocol):
    """What the thread works for."""

    def _sample(self) -> None:
        """Ask for what is only known at a moment."""

    def _drained(self) -> list[str]:
        """Take all that waits, as lines."""

    def _sent(self, lost: int) -> None:
        """Hear how many of those lines were lost."""


class Sender:
    """Sends four times a second, in a thread that starts with the first event.

    Args:
        source: Where the lines come from.
        transport: Where they go.
        sample_seconds: How often the source is asked for what is only known at a moment.
    """

    def __init__(self, source: Source, transport: UdpTransport, sample_seconds: float) -> None:
        self._source = source
        self._transport = transport
        self._sample_seconds = sample_seconds
        self._begin()

    def _begin(self) -> None:
        self._wake = threading.Event()
        self._flushes: deque[threading.Event] = deque()
        self._closing = False
        self._abandoned = False
        self._thread: threading.Thread | None = None

    def after_fork(self) -> None:
        """Begin afresh in a child, which has none of the parent's threads."""
        self._transport.forget()
        self._begin()

    @property
    def started(self) -> bool:
        """Whether there is a thread."""
        return self._thread is not None

    def start(self) -> bool:
        """Have a thread, and return whether there is one; only one caller at a time."""
        if self._thread is None:
            # Without a thread for now, the next event tries again.
            self._thread = start_thread(self._run, name="baselib-metrics")
        return self._thread is not None

    def hurry(self) -> None:
        """Send soon."""
        self._wake.set()

    def flush(self, timeout: float) -> None:
        """Wait until what was there at the call is sent, or cannot be, at most `timeout` seconds."""
        done = threading.Event()
        self._flushes.append(done)
        self._wake.set()
        done.wait(timeout)

    def close(self, timeout: float) -> None:
        """Send what can be sent within `timeout` seconds, and end the thread."""
        if self._thread is not None:
            self._closing = True
            self._wake.set()
            self._thread.join(timeout)
        self._abandoned = True

    def _run(self) -> None:
        sample_at = time.monotonic() + self._sample_seconds
        closing = False
        while not closing:
            self._wake.wait(_FLUSH_SECONDS)
            self._wake.clear()
            # Both are read before the events are, so that what was there before a flush or the end is sent.
            closing = self._closing
            flushes = [self._flushes.popleft() for _ in range(len(self._flushes))]
            try:
                if self._transport.ready(self._wake.set):
                    lines = [] if self._abandoned else self._source._drained()
                    if flushes or closing or time.monotonic() >= sample_at:
                        # Behind the others, whose way is free now.
                        sample_at = time.monotonic() + self._sample_seconds
                        self._source._sample()
                        lines += [] if self._abandoned else self._source._drained()
                    self._source._sent(self._transport.send(lines))
                elif self._transport.pending and not self._abandoned:
                    self._flushes.extend(flushes)
                    closing = False
                    continue
            except Exception:
                _logger.debug("metrics were not sent", exc_info=True)
            for done in flushes:
                done.set()
        self._transport.close()

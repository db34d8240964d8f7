"""Who tells the observers that a span has ended: the thread that did the work, or one that does it for many.

A web worker answers first and reports later: one line after the other keeps the processor's caches warm, and a log
driver that blocks does not block a request. What ended with an exception is reported at once, before anything can
happen to the process.
"""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from baselib.concurrency import start_thread
from baselib.telemetry.span import Observer, Span, finish

# How long finished spans are gathered: what a killed process may lose of its access log.
_GATHER_SECONDS: Final = 0.05
# Beyond so many the thread that did the work reports by itself, so that memory is bounded and no line is lost.
_MOST_WAITING: Final = 5_000
# Requests wait for the interpreter while a batch is told.
_MOST_AT_ONCE: Final = 100


class Reporter:
    """Tells observers of finished spans.

    Args:
        observers: Who is told, in this order.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers
        self._in_batches = False
        self._waiting: deque[Span] = deque()
        self._wake = threading.Event()
        os.register_at_fork(after_in_child=self._after_fork)

    def report(self, span: Span) -> None:
        """Take a span that has ended.

        Args:
            span: The span; nothing may change it any more.
        """
        span.end()
        if not self._in_batches or span.error is not None or len(self._waiting) >= _MOST_WAITING:
            finish((span,), self._observers)
            return
        self._waiting.append(span)
        if not self._wake.is_set():
            self._wake.set()

    def report_in_batches(self) -> None:
        """From now on tell of spans that ended well from a thread; a forked child has to ask for it again."""
        if self._in_batches:
            return
        # Without room for a thread each span is told at once.
        self._in_batches = start_thread(self._run, name="baselib-reports") is not None

    def flush(self) -> None:
        """Tell of every span that waits."""
        while self._waiting:
            spans: list[Span] = []
            # Another thread may take some of them at the same time.
            with contextlib.suppress(IndexError):
                while len(spans) < _MOST_AT_ONCE:
                    spans.append(self._waiting.popleft())
            finish(spans, self._observers)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(_GATHER_SECONDS)
            self._wake.clear()
            self.flush()

    def _after_fork(self) -> None:
        # The thread has stayed with the parent, which reports what is waiting.
        self._in_batches = False
        self._waiting.clear()
        self._wake = threading.Event()

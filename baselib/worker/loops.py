"""Work without a queue: a function that is called again and again, or one that goes on until the worker stops."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from baselib.telemetry import OBSERVERS, Span, observed
from baselib.worker.engine.pauses import Pauses

_logger = logging.getLogger("baselib.worker")

_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60.0


class Loop:
    """A function and the thread in which it runs.

    Args:
        name: What it is called in logs and metrics.
        turn: One turn of the loop; it may look at the event, which is set when the worker stops.
        every: Seconds from the beginning of a turn to that of the next; None where the function itself goes on until
            the worker stops, and is called again only after it has failed.
        limit: Seconds after which a turn counts as stuck; None where it may take for ever.
    """

    def __init__(
        self, name: str, turn: Callable[[threading.Event], object], every: float | None, limit: float | None
    ) -> None:
        self.name = name
        self._turn = turn
        self._every = every
        self._limit = limit
        self._stopping = threading.Event()
        self._began: float | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the turn under way, if there is one, is not stuck."""
        began = self._began
        return began is None or self._limit is None or time.monotonic() - began < self._limit

    def stop(self) -> None:
        """Begin no further turn."""
        self._stopping.set()

    def join(self, deadline: float) -> bool:
        """Wait for the turn under way; False when it is not done at the deadline."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def _run(self) -> None:
        pauses = Pauses(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        while not self._stopping.is_set():
            began = self._began = time.monotonic()
            done = self._observed()
            self._began = None
            if done:
                pauses.after_success()
                pause = 0.0 if self._every is None else began + self._every - time.monotonic()
            else:
                pause = pauses.after_failure()
            self._stopping.wait(max(0.0, pause))

    def _observed(self) -> bool:
        span = Span("turn", self.name, budget=self._limit)
        with observed(span, OBSERVERS):
            span.outcome = "done"
            try:
                self._turn(self._stopping)
                if self._every is None and not self._stopping.is_set():
                    raise RuntimeError("it returned although the worker goes on")
            except BaseException as error:
                # Whatever it is, the loop goes on.
                span.error = error
                span.outcome = "failed"
                _logger.exception("a turn failed", extra={"loop": self.name})
            span.tags = {"loop": self.name, "outcome": span.outcome}
        return span.outcome == "done"

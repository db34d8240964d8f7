"""Requests that hang: gunicorn's own time-out sees only the worker's main thread, never a request's."""

import logging
import sys
import threading
import traceback
from typing import Final

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import REQUESTS_HUNG, RESTARTS
from baselib.web.request_threads import RequestThreads
from baselib.web.requests import SPAN_KEY

# So many times the budget of a request, and it is given up.
_PATIENCE: Final = 2

_logger = logging.getLogger("baselib.web")


def stacks() -> dict[str, str]:
    """The stack of every thread of this process, by the thread's name."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        f"{names.get(thread, 'unknown')}-{thread}": "".join(traceback.format_stack(frame))
        for thread, frame in sys._current_frames().items()
    }


class Watchdog:
    """Looks at the requests that run.

    Args:
        threads: Those that run them.
        request_seconds: What a request may take before it is reported.
    """

    def __init__(self, threads: RequestThreads, request_seconds: float) -> None:
        self._threads = threads
        self._seconds = request_seconds

    def look(self, now: float) -> None:
        """Report each request that has begun to hang, with what its thread does.

        Args:
            now: The time on the clock of `time.monotonic`.
        """
        for thread, connection in list(self._threads.running.items()):
            seconds = now - connection.started
            if seconds <= self._seconds or connection.reported:
                continue
            connection.reported = True
            metrics.incr(REQUESTS_HUNG.name)
            # The request may end while it is looked at.
            frame = sys._current_frames().get(thread)
            environ = connection.environ
            rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
            _logger.warning(
                "request hung",
                extra={
                    "seconds": round(seconds, 1),
                    "method": environ.get("REQUEST_METHOD"),
                    "route": getattr(rule, "rule", None),
                    "hung_request_id": getattr(environ.get(SPAN_KEY), "request_id", None),
                    "stack": "".join(traceback.format_stack(frame)) if frame else None,
                },
            )

    def given_up(self, now: float) -> bool:
        """Whether every request thread has hung for so long that only another worker can help; says so when it is."""
        held = self._threads.held
        running = [connection for connection in list(self._threads.running.values()) if connection not in held]
        if len(running) < self._threads.count or any(
            now - connection.started <= _PATIENCE * self._seconds for connection in running
        ):
            return False
        metrics.incr(RESTARTS.name, tags={"cause": "hung"})
        _logger.error("every request thread hangs: replacing the worker", extra={"stacks": stacks()})
        return True


def worker_abort(worker: object) -> None:
    """gunicorn's hook for a worker whose main thread has not been heard of in time: say what all threads do."""
    metrics.incr(RESTARTS.name, tags={"cause": "timeout"})
    _logger.critical("worker timed out", extra={"stacks": stacks()})

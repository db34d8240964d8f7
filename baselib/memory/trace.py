"""What a process has allocated and where, told on its way out, so that a leak can be found.

Source: https://docs.python.org/3/library/tracemalloc.html
"""

import contextlib
import logging
import signal
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Final

_logger = logging.getLogger(__name__)

# By then the caches of a process that has traffic are warm.
_BASELINE_SECONDS: Final = 30.0
# The kernel ends a process that is still about its snapshot after this long: nobody waits for it, but its memory is
# wanted.
_BOUND_SECONDS: Final = 5.0
_MOST_TOLD: Final = 10
_MOST_REMEMBERED: Final = 10_000
_LONGEST_PLACE: Final = 500


class AllocationTrace:
    """Traces what a process allocates, from its start to one log line at its end.

    Tracing makes every allocation slower and keeps a record of each: it is switched on to find a leak, and off again.

    Args:
        frames: How many frames of each allocation are kept; 0 traces nothing.
        baseline_seconds: When the state is remembered that growth is told against.
        bound_seconds: How long the telling may take.
    """

    def __init__(
        self, frames: int, baseline_seconds: float = _BASELINE_SECONDS, bound_seconds: float = _BOUND_SECONDS
    ) -> None:
        self._frames = frames
        self._baseline_seconds = baseline_seconds
        self._bound_seconds = bound_seconds
        self._baseline: dict[str, int] = {}

    def start(self) -> None:
        """Begin, in the process that is to be traced: what was allocated before a fork stays untraced."""
        if not self._frames:
            return
        tracemalloc.start(self._frames)
        timer = threading.Timer(self._baseline_seconds, self._remember)
        timer.daemon = True
        timer.start()

    def tell(self) -> None:
        """Log the places that hold the most, and how much each has grown; for the main thread of a process that ends.

        The process is killed when this takes longer than the bound: a snapshot cannot be interrupted otherwise.
        """
        if not tracemalloc.is_tracing():
            return
        with _killed_after(self._bound_seconds):
            held, _ = tracemalloc.get_traced_memory()
            places = _held()
            _logger.warning(
                "memory trace: what this process held",
                extra={
                    "traced_bytes": held,
                    "places": [
                        {"place": place, "bytes": size, "growth_bytes": size - self._baseline.get(place, 0)}
                        for place, size in list(places.items())[:_MOST_TOLD]
                    ],
                },
            )
            tracemalloc.stop()

    def _remember(self) -> None:
        self._baseline = _held()


def _held() -> dict[str, int]:
    """The bytes that each place holds, most first; a place is its frames, the innermost first."""
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(False, tracemalloc.__file__)])
    found = snapshot.statistics("traceback")[:_MOST_REMEMBERED]
    return {_place(each.traceback): each.size for each in found}


def _place(traceback: tracemalloc.Traceback) -> str:
    return " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(list(traceback)))[:_LONGEST_PLACE]


@contextlib.contextmanager
def _killed_after(seconds: float) -> Iterator[None]:
    """Only the kernel can interrupt what holds the interpreter, and SIGALRM ends a process that does not handle it."""
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

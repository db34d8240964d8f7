"""The stub's clock: it can be moved forward, so that hours pass in a test without waiting."""

import time


class Clock:
    """Seconds since 1970, steady whatever is done to the machine's clock.

    Attributes:
        base: What has to be added to `time.monotonic` (and so to the event loop's time) to get this clock's time.
    """

    def __init__(self) -> None:
        self.base = time.time() - time.monotonic()

    def now(self) -> float:
        """The time in seconds since 1970."""
        return time.monotonic() + self.base

    def advance(self, seconds: float) -> None:
        """Let seconds pass at once."""
        self.base += seconds

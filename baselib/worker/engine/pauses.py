"""How long to wait before something is tried again.

Half of each pause is random, so that a fleet that failed together does not try again together.
https://docs.aws.amazon.com/prescriptive-guidance/latest/cloud-design-patterns/retry-backoff.html
"""

import random
from typing import Final

_FIRST_RETRY_SECONDS: Final = 5.0
_LONGEST_RETRY_SECONDS: Final = 900.0


class Pauses:
    """The pauses between attempts at a call, longer and longer until one succeeds.

    Args:
        first: Seconds of the first one.
        longest: Seconds beyond which they do not grow.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._failures = 0

    def after_failure(self) -> float:
        """Seconds to wait now."""
        pause = min(self._longest, self._first * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return jittered(pause)

    def after_success(self) -> None:
        """Begin with the first one again."""
        self._failures = 0


def retry_delay(receive_count: int) -> float:
    """Seconds until a message that failed comes again.

    Args:
        receive_count: How often it has been received.
    """
    return jittered(min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2.0 ** min(receive_count - 1, 16)))


def jittered(seconds: float) -> float:
    """A random time between half of this and all of it."""
    return random.uniform(seconds / 2, seconds)  # noqa: S311

"""One fetch for all who want the same thing at the same time, so that an empty cache causes no stampede."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from baselib.aws.deadlines import DeadlineExceededError, patience

_T = TypeVar("_T")


class Flight(Generic[_T]):
    """A fetch under way: one thread carries it out, the others wait for its outcome."""

    def __init__(self) -> None:
        self._landed = threading.Event()
        self._result: _T
        self._error: BaseException | None = None

    def carry_out(self, fetch: Callable[[], _T]) -> _T:
        """Fetch, and give the outcome to those who wait."""
        try:
            self._result = fetch()
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._landed.set()
        return self._result

    def wait(self, what: str) -> _T:
        """The outcome of the thread that fetches.

        Args:
            what: What is fetched, for the error.

        Raises:
            DeadlineExceededError: The work in hand has no more time to wait.
            LeaderGaveUpError: The fetching thread had less time than this one: this one may fetch itself.
        """
        if not self._landed.wait(patience()):
            raise DeadlineExceededError(f"no time left for {what}, which another thread is fetching")
        if isinstance(self._error, DeadlineExceededError) or (
            self._error is not None and not isinstance(self._error, Exception)
        ):
            raise LeaderGaveUpError from self._error
        if self._error is not None:
            raise self._error
        return self._result


class LeaderGaveUpError(Exception):
    """The thread that fetched gave up for reasons of its own."""

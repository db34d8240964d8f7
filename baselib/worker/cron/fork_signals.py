"""Signals of a forked child: one that is meant for it is none to the process that it was forked from.

Until a child has changed its handlers, it has those of its parent, and the pipe that they write to. Signals wait for as
long as that takes.
"""

import os
import signal
import threading
from collections.abc import Iterable
from typing import Final, Protocol


class Handlers(Protocol):
    """Something that handles signals of this process."""

    def after_fork(self) -> None:
        """Handle them no more; called in the child."""


_handling: "Final[list[tuple[Handlers, tuple[signal.Signals, ...]]]]" = []
_masks: Final = threading.local()


def forget_in_children(handlers: Handlers, numbers: Iterable[signal.Signals]) -> None:
    """Call `handlers.after_fork()` in each forked child, before a signal can arrive there.

    Args:
        handlers: Who handles signals; the last one is called first.
        numbers: Which.
    """
    _handling.append((handlers, tuple(numbers)))


def remember_in_children(handlers: Handlers) -> None:
    """Undo `forget_in_children`."""
    _handling[:] = [entry for entry in _handling if entry[0] is not handlers]


def _before() -> None:
    numbers = {number for _, held in _handling for number in held}
    _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers) if numbers else None


def _after() -> None:
    if _masks.before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, _masks.before)


def _after_in_child() -> None:
    for handlers, _ in reversed(_handling):
        handlers.after_fork()
    _handling.clear()
    _after()


os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)

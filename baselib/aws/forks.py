"""What a forked child must make anew: threads are gone in it, and a lock may be held by one of those."""

import os
import weakref
from typing import Final, Protocol


class Forked(Protocol):
    """Something with a lock, a thread or a connection of its own."""

    def after_fork(self) -> None:
        """Start afresh; called in the child, where no other thread runs yet."""


_held: "Final[weakref.WeakSet[Forked]]" = weakref.WeakSet()


def renew_after_fork(holder: Forked) -> None:
    """Call `holder.after_fork()` in every child forked from now on, for as long as the holder is in use."""
    _held.add(holder)


def _renew() -> None:
    for holder in list(_held):
        holder.after_fork()


os.register_at_fork(after_in_child=_renew)

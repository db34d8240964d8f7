"""What a forked child must make anew: threads are gone in it, and a lock may be held by one of those."""

# Hooks run in the order of registration: logging and threading, which this imports, are renewed before what uses them.
import logging
import os
import weakref
from typing import Final, Protocol

_logger = logging.getLogger(__name__)


class Forked(Protocol):
    """Something with a lock, a thread or a connection of its own."""

    def after_fork(self) -> None:
        """Start afresh; called in the child, where no other thread of the parent runs."""


_held: "Final[weakref.WeakSet[Forked]]" = weakref.WeakSet()


def renew_after_fork(holder: Forked) -> None:
    """Call `holder.after_fork()` in every child forked from now on, for as long as the holder is in use.

    What lives as long as the process may register itself with `os.register_at_fork`, which holds it for ever.

    Args:
        holder: What is renewed; in no order among several.
    """
    _held.add(holder)


def _renew() -> None:
    for holder in list(_held):
        try:
            holder.after_fork()
        except Exception:
            # The others need it all the same.
            _logger.exception("%s was not made anew after a fork", type(holder).__name__)


os.register_at_fork(after_in_child=_renew)

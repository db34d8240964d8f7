"""Threads for what goes on without them too: an optional thread never fails its caller.

>>> done = []
>>> thread = start_thread(done.append, 1, name="example")
>>> thread.join()
>>> done
[1]
"""

import threading
from collections.abc import Callable
from typing import TypeVarTuple

_Arguments = TypeVarTuple("_Arguments")


def start_thread(target: Callable[[*_Arguments], object], *args: *_Arguments, name: str) -> threading.Thread | None:
    """A daemon thread that has begun; None where none can be had, and the caller does without or tries again.

    That is so where the process may have no further thread, and while the interpreter ends.

    Args:
        target: What it does.
        args: What the function is called with.
        name: What it is called in a stack dump.
    """
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread

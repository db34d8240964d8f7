"""The function of a job, which takes the service, and the run if it wants to."""

import inspect
from collections.abc import Callable
from typing import Any

from baselib.service import Service
from baselib.worker.cron.run import Run

JobFunction = Callable[[Service], object] | Callable[[Service, Run], object]


def taking_run(function: JobFunction) -> Callable[[Service, Run], object]:
    """The function as one of two arguments.

    Args:
        function: Takes the service alone, or the service and the run. A second parameter that has a default means
            something else, and keeps it.

    Raises:
        TypeError: It takes neither, or is asynchronous: it would not run.
    """
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004 - not whether it can be called
        raise TypeError("a job's function may not be asynchronous: call asyncio.run in it")
    given: Any = function
    if not callable(given):
        raise TypeError(f"a job needs a function, not {given!r}")
    try:
        signature = inspect.signature(given)
    except ValueError:
        # A built-in one that does not tell.
        return lambda service, _: given(service)
    if _takes(signature, 1):
        return lambda service, _: given(service)
    if _takes(signature, 2):
        both: Callable[[Service, Run], object] = given
        return both
    raise TypeError(f"a job's function takes the service, or the service and the run, not {signature}")


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True

"""gunicorn's hooks: a setting holds one function, so the service's own and baselib's are chained into one."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from gunicorn.util import get_arity

Hook = Callable[..., Any]

HOOKS: Final[Mapping[str, int]] = {
    "on_starting": 1,
    "on_reload": 1,
    "when_ready": 1,
    "pre_fork": 2,
    "post_fork": 2,
    "post_worker_init": 1,
    "worker_int": 1,
    "worker_abort": 1,
    "pre_exec": 1,
    "pre_request": 2,
    "post_request": 4,
    "child_exit": 2,
    "worker_exit": 2,
    "nworkers_changed": 3,
    "on_exit": 1,
}
"""The hooks that a service may have, and how many arguments each is called with."""

# Here the service's part goes first, so that what it still logs and counts is flushed by ours.
_ENDS: Final = frozenset({"worker_int", "worker_abort", "worker_exit", "child_exit", "on_exit", "post_request"})
# Here an exception of the service's part means what it means to gunicorn: this process cannot begin, or this request
# is refused. Everywhere else it would end the master, and with it the service.
_RAISING: Final = frozenset({"on_starting", "when_ready", "post_fork", "post_worker_init", "pre_request"})

_logger = logging.getLogger("baselib.web")


def chain(name: str, *ours: Hook, theirs: Hook | None = None) -> Hook:
    """One hook that calls several; none can keep baselib's from being called.

    Args:
        name: The hook, such as `worker_exit`.
        ours: Those of baselib, in order.
        theirs: The service's own; called first where something ends, last where something begins.

    >>> hook = chain("on_exit", lambda server: print("flushed"), theirs=lambda server: print("saved"))
    >>> hook("server")
    saved
    flushed
    """
    if theirs is None:
        hooks = ours
    else:
        guarded = _guarded(name, theirs)
        hooks = (guarded, *ours) if name in _ENDS else (*ours, guarded)
    return _with_arity(HOOKS[name], hooks)


def _guarded(name: str, theirs: Hook) -> Hook:
    # gunicorn itself lets post_request take two or three arguments as well.
    count = min(get_arity(theirs), HOOKS[name])

    def call(*args: Any) -> None:
        try:
            theirs(*args[:count])
        except Exception:
            if name in _RAISING:
                raise
            _logger.exception("hook of the service failed", extra={"hook": name})

    return call


def _with_arity(count: int, hooks: tuple[Hook, ...]) -> Hook:
    """gunicorn looks at how many arguments a hook takes."""

    def call(*args: Any) -> None:
        for hook in hooks:
            hook(*args)

    def one(first: Any) -> None:
        call(first)

    def two(first: Any, second: Any) -> None:
        call(first, second)

    def three(first: Any, second: Any, third: Any) -> None:
        call(first, second, third)

    def four(first: Any, second: Any, third: Any, fourth: Any) -> None:
        call(first, second, third, fourth)

    return (one, two, three, four)[count - 1]

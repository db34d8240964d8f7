"""Exceptions that nobody caught, as log lines instead of raw stacks on standard error."""

import logging
import sys
import threading
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Final

from baselib.telemetry.logs.text import text_of

_logger = logging.getLogger("baselib.uncaught")

# Called after us they would write the stack a second time.
_PYTHONS_OWN: Final = frozenset({sys.__excepthook__, threading.__excepthook__, sys.__unraisablehook__})

_before: Final[dict[str, Callable[..., object]]] = {}
_tell: Final[list[Callable[[BaseException], object]]] = []


def log_uncaught(tell: Callable[[BaseException], object] | None = None) -> None:
    """Log what nobody catches: in the main thread, in other threads, and where Python cannot raise.

    A hook of somebody else's is called afterwards. May be called again.

    Args:
        tell: Is told of the exceptions of threads as well, and of the one that ends the process.
    """
    _tell[:] = [tell] if tell is not None else []
    for module, name, hook in _HOOKS:
        if hook.__name__ not in _before:
            _before[hook.__name__] = getattr(module, name)
            setattr(module, name, hook)


def leave_uncaught() -> None:
    """Give back the hooks that were there before; one that was put over ours since stays, and may still call ours."""
    for module, name, hook in _HOOKS:
        if getattr(module, name) is hook and hook.__name__ in _before:
            setattr(module, name, _before.pop(hook.__name__))


def _main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, Exception):
        # Ctrl-C is no error.
        _before.get(_main.__name__, sys.__excepthook__)(kind, error, trace)
        return
    _logger.critical("uncaught exception", exc_info=(kind, error, trace))
    for tell in _tell:
        tell(error)
    _chain(_main, kind, error, trace)


def _thread(thrown: threading.ExceptHookArgs) -> None:
    if thrown.exc_value is not None and not isinstance(thrown.exc_value, SystemExit):
        told = {"thread_name": thrown.thread.name if thrown.thread is not None else None}
        _logger.error("uncaught exception in a thread", exc_info=thrown.exc_value, extra=told)
        for tell in _tell:
            tell(thrown.exc_value)
    _chain(_thread, thrown)


def _unraisable(thrown: "sys.UnraisableHookArgs") -> None:
    told = {"object": text_of(thrown.object, repr)}
    _logger.error(thrown.err_msg or "exception that Python cannot raise", exc_info=thrown.exc_value, extra=told)
    _chain(_unraisable, thrown)


def _chain(hook: Callable[..., None], *thrown: object) -> None:
    before = _before.get(hook.__name__)
    if before is not None and before not in _PYTHONS_OWN:
        before(*thrown)


_HOOKS: Final[tuple[tuple[ModuleType, str, Callable[..., None]], ...]] = (
    (sys, "excepthook", _main),
    (threading, "excepthook", _thread),
    (sys, "unraisablehook", _unraisable),
)

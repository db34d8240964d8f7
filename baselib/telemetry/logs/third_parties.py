"""Loggers that libraries set up for themselves: their lines join ours."""

import logging
import sys


def adopt_loggers() -> None:
    """Take handlers that write to a standard stream from every logger but the root's, and pass their records on.

    A line of theirs would be raw text between the JSON. Handlers that write elsewhere, such as to a file, stay, and so
    does the silence of a logger whose only handler throws records away.
    """
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            _adopt(logger)
    _take_handlers(logging.root)


def _adopt(logger: logging.Logger) -> None:
    if _take_handlers(logger):
        logger.propagate = True


def _take_handlers(logger: logging.Logger) -> bool:
    taken = [handler for handler in logger.handlers if _writes_to_standard_stream(handler)]
    for handler in taken:
        logger.removeHandler(handler)
    return bool(taken)


def _writes_to_standard_stream(handler: logging.Handler) -> bool:
    if not isinstance(handler, logging.StreamHandler) or getattr(handler, "of_baselib", False):
        return False
    stream = handler.stream
    try:
        return stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__) or stream.fileno() in {1, 2}
    except Exception:  # noqa: BLE001 - a stream of somebody's own may be anything
        return False

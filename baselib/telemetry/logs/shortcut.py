"""The short way from a finished span to its line, where nobody but baselib's handler would see the record."""

import logging

from baselib.telemetry.logs.handler import LogHandler
from baselib.telemetry.logs.json_lines import JsonFormatter


def sole_handler(logger: logging.Logger, level: int) -> tuple[LogHandler, JsonFormatter] | None:
    """The handler and formatter that a record would reach; None where anybody else would see or refuse it too.

    Args:
        logger: Who would log it.
        level: Its level, for which the logger is enabled.
    """
    if logger.disabled or logger.filters:
        return None
    handlers = list(logger.handlers)
    while logger.propagate and logger.parent is not None:
        logger = logger.parent
        handlers += logger.handlers
    if len(handlers) != 1:
        return None
    (handler,) = handlers
    if type(handler) is not LogHandler or handler.filters or handler.level > level:
        return None
    formatter = handler.formatter
    return (handler, formatter) if type(formatter) is JsonFormatter else None

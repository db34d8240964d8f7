r"""Logs: one JSON object a line in production, readable lines on a terminal, through the standard `logging`.

>>> import io, logging
>>> stream = io.StringIO()
>>> handler = log_handler({"service": "api"}, "json", stream)
>>> handler.handle(logging.makeLogRecord({"name": "shop", "levelname": "INFO", "msg": "sold", "amount": 3}))
True
>>> stream.getvalue()  # doctest: +ELLIPSIS
'{"timestamp":"...Z","level":"INFO","logger":"shop","message":"sold","service":"api","amount":3}\n'
"""

from baselib.telemetry.logs.configuration import configure_logs, log_handler
from baselib.telemetry.logs.console import ConsoleFormatter
from baselib.telemetry.logs.context import log_fields
from baselib.telemetry.logs.counts import LINES
from baselib.telemetry.logs.json_lines import JsonFormatter
from baselib.telemetry.logs.levels import request_level, set_level
from baselib.telemetry.logs.masking import Masking
from baselib.telemetry.logs.repeats import Repeats
from baselib.telemetry.logs.uncaught import leave_uncaught

__all__ = [
    "LINES",
    "ConsoleFormatter",
    "JsonFormatter",
    "Masking",
    "Repeats",
    "configure_logs",
    "leave_uncaught",
    "log_fields",
    "log_handler",
    "request_level",
    "set_level",
]

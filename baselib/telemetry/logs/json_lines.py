"""The contract's log line as JSON."""

import logging
import math
import time
from collections.abc import Mapping
from typing import Any, Final

from baselib.telemetry.logs.context import current_fields
from baselib.telemetry.logs.encoding import Encoder
from baselib.telemetry.logs.fields import own_names
from baselib.telemetry.logs.masking import Masking
from baselib.telemetry.logs.text import message_of, stack_of, text_of
from baselib.telemetry.span import Span, current_span

_ERROR_FIELDS: Final = frozenset({"error.type", "error.message", "error.stack"})


class JsonFormatter(logging.Formatter):
    """One JSON object a line: the contract's fields first, then the caller's own.

    A field of the caller's never replaces one of the contract's: it is kept with an underscore behind its name. JSON
    escapes line breaks, so that no value can begin a second line.

    Args:
        identity: Fields that are on every line.
        masking: Hides secrets and personal data; what is always hidden when None.
    """

    def __init__(self, identity: Mapping[str, str], masking: Masking | None = None) -> None:
        super().__init__()
        # In the order of the contract; a copy of it is the cheapest way to begin a line.
        self._blank: dict[str, Any] = {"timestamp": "", "level": "", "logger": "", "message": "", **identity}
        self._masking = masking or Masking()
        self._encode = Encoder(self._masking).encode
        self._second = (0, "1970-01-01T00:00:00")

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        # Written out, because each call of a function would cost a fiftieth of the line.
        masking = self._masking
        line = self._blank.copy()
        line["timestamp"] = self._timestamp(record.created)
        line["level"] = record.levelname
        line["logger"] = record.name
        line["message"] = message_of(record, masking)
        span = current_span()
        if span is not None:
            line["request_id"] = span.request_id
            if span.trace_id is not None:
                line["trace_id"] = span.trace_id
        if record.stack_info:
            line["stack"] = record.stack_info
        for name in own_names(record):
            self._add(line, name, record.__dict__[name])
        around = current_fields()
        if around:
            for name, value in around.items():
                if name not in line:
                    line[name] = masking.field(name, value)
        if record.exc_info and record.exc_info[1] is not None:
            line.update(self._error(record.exc_info[1]))
        return self._encode(line)

    def span_line(self, span: Span, level: str, logger: str, message: str, fields: Mapping[str, Any]) -> str:
        """The line that `format` would make of a record about the end of a span, without the record.

        Args:
            span: The span, which has ended.
            level: The name of the level.
            logger: The name of the logger.
            message: What is said, without a secret.
            fields: The line's own fields, which hold no secret and have no name of the contract's.
        """
        line = self._blank.copy()
        line["timestamp"] = self._timestamp(span.ended or time.time())
        line["level"] = level
        line["logger"] = logger
        line["message"] = message
        line["request_id"] = span.request_id
        if span.trace_id is not None:
            line["trace_id"] = span.trace_id
        line.update(fields)
        for name, value in span.fields.items():
            self._add(line, name, value)
        return self._encode(line)

    def _add(self, line: dict[str, Any], name: Any, value: Any) -> None:
        free = name if type(name) is str else text_of(name)
        while free in line or free in _ERROR_FIELDS:
            free += "_"
        line[free] = self._masking.field(free, value)

    def _error(self, error: BaseException) -> dict[str, str]:
        kind = type(error)
        return {
            "error.type": f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."),
            "error.message": self._masking.text(text_of(error)),
            "error.stack": stack_of(error, self._masking),
        }

    def _timestamp(self, created: float) -> str:
        """RFC 3339 in UTC with milliseconds."""
        second, text = self._second
        since = created - second
        if not 0 <= since < 1:
            second = math.floor(created)
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            # Both at once, because another thread may be here too.
            self._second = (second, text)
            since = created - second
        return "%s.%03dZ" % (text, since * 1000)  # noqa: UP031 - the fastest way, and it runs for every line

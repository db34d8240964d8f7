r"""Logs: one JSON object a line in production, readable lines on a terminal, through the standard `logging`.

>>> import io, logging
>>> stream = io.StringIO()
>>> handler = log_handler({"service": "api"}, "json", stream)
>>> handler.handle(logging.makeLogRecord({"name": "shop", "levelname": "INFO", "msg": "sold", "amount": 3}))
True
>>> stream.getvalue()  # doctest: +ELLIPSIS
'{"timestamp":"...Z","level":"INFO","logger":"shop","message":"sold","service":"api","amount":3}\n'
"""

import json
import logging
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, Final, TextIO

from baselib.contract import Settings
from baselib.contract.settings import LogFormat
from baselib.telemetry.span import current_span

# Everything that logging itself puts on a record; what remains are the caller's own fields.
_RECORD_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# NaN is no JSON; ASCII, because a line or paragraph separator begins a line for some readers and a lone surrogate
# cannot be written at all.
_encode = json.JSONEncoder(separators=(",", ":"), default=repr, check_circular=True, allow_nan=False).encode

_ERROR_FIELDS: Final = frozenset({"error.type", "error.message", "error.stack"})

_COLOURS: Final = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


def configure_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every record of the process to one stream, in the form that the settings ask for.

    Replaces the root logger's handlers, so that it may be called again.

    Args:
        settings: Gives level, form and identity.
        stream: Where the lines go; standard output when None.
    """
    target = stream or sys.stdout
    form = settings.log_format or ("console" if target.isatty() else "json")
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if getattr(handler, "of_baselib", False)]:
        root.removeHandler(old)
    root.addHandler(log_handler(settings.identity, form, target))
    root.setLevel(settings.log_level)
    # It says at every start where it found credentials, which nobody asked.
    logging.getLogger("botocore.credentials").setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(capture=True)


def log_handler(identity: Mapping[str, str], form: LogFormat, stream: TextIO) -> logging.Handler:
    """A handler that writes the contract's log line.

    Args:
        identity: Fields that are on every line.
        form: `json` or `console`.
        stream: Where the lines go.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(identity) if form == "json" else ConsoleFormatter(colour=stream.isatty()))
    handler.of_baselib = True  # type: ignore[attr-defined]
    return handler


class JsonFormatter(logging.Formatter):
    """One JSON object a line: the contract's fields first, then the caller's own.

    A field of the caller's never replaces one of the contract's: it is kept with an underscore behind its name. JSON
    escapes line breaks, so that no value can begin a second line.
    """

    def __init__(self, identity: Mapping[str, str]) -> None:
        super().__init__()
        self._identity = dict(identity)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, Any] = {
            "timestamp": _timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **self._identity,
        }
        span = current_span()
        if span is not None:
            line["request_id"] = span.request_id
            if span.trace_id is not None:
                line["trace_id"] = span.trace_id
        if record.stack_info:
            line["stack"] = record.stack_info
        fields = [item for item in record.__dict__.items() if item[0] not in _RECORD_ATTRIBUTES]
        for name, value in fields:
            free = _text(name)
            while free in line or free in _ERROR_FIELDS:
                free += "_"
            line[free] = value
        if record.exc_info and record.exc_info[0] is not None:
            line.update(_error_fields(record.exc_info[0], record.exc_info[1]))
        try:
            return _encode(line)
        except Exception:  # noqa: BLE001 - whatever a value does, the line is not lost
            return _encode({name: _encodable(value) for name, value in line.items()})


class ConsoleFormatter(logging.Formatter):
    """A line for people: time, level, logger, message, fields; an exception's stack below it.

    Args:
        colour: Whether the terminal shows colours.
    """

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, with the stack of its exception, if any, indented below."""
        level = f"{record.levelname:<8}"
        if self._colour:
            level = f"\x1b[{_COLOURS.get(record.levelname, '0')}m{level}\x1b[0m"
        fields = {name: value for name, value in record.__dict__.items() if name not in _RECORD_ATTRIBUTES}
        span = current_span()
        if span is not None:
            fields["request_id"] = span.request_id
        told = "".join(f" {_printable(_text(name))}={_printable(_text(value))}" for name, value in fields.items())
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{clock} {level} {_printable(record.name)}: {_printable(_message(record))}{told}"
        if record.exc_info and record.exc_info[1] is not None:
            stack = "".join(traceback.format_exception(record.exc_info[1]))
            line += "\n" + "\n".join(f"    {_printable(part)}" for part in stack.splitlines())
        return line


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a mistake in a log call is no reason to lose the line
        return f"{_text(record.msg)} {_text(record.args)}" if record.args else _text(record.msg)


def _text(value: object) -> str:
    """The value as text, also where it has none."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a value's own code may raise anything
        return f"<{type(value).__name__} without text>"


def _encodable(value: object) -> object:
    """The value if it is JSON, otherwise its text."""
    try:
        _encode(value)
    except Exception:  # noqa: BLE001 - see above
        try:
            return repr(value)
        except Exception:  # noqa: BLE001
            return _text(value)
    return value


def _error_fields(kind: type[BaseException], error: BaseException | None) -> dict[str, str]:
    return {
        "error.type": f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."),
        "error.message": _text(error),
        "error.stack": "".join(traceback.format_exception(error)) if error is not None else "",
    }


def _timestamp(created: float) -> str:
    """RFC 3339 in UTC with milliseconds."""
    seconds = int(created)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int((created - seconds) * 1000):03d}Z"


def _printable(value: str) -> str:
    """The text without anything that could begin a line or steer a terminal."""
    if value.isprintable():
        return value
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in value
    )

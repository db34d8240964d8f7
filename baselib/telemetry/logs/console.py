"""The log line for people."""

import logging
import time
from typing import Final

from baselib.telemetry.logs.context import current_fields
from baselib.telemetry.logs.fields import own_names
from baselib.telemetry.logs.masking import Masking
from baselib.telemetry.logs.text import message_of, stack_of, text_of
from baselib.telemetry.span import current_span

_COLOURS: Final = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


class ConsoleFormatter(logging.Formatter):
    """A line for people: time, level, logger, message, fields; an exception's stack below it.

    Args:
        colour: Whether the terminal shows colours.
        masking: Hides secrets and personal data; what is always hidden when None.
    """

    def __init__(self, *, colour: bool, masking: Masking | None = None) -> None:
        super().__init__()
        self._colour = colour
        self._masking = masking or Masking()

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, with the stack of its exception, if any, indented below."""
        level = f"{record.levelname:<8}"
        if self._colour:
            level = f"\x1b[{_COLOURS.get(record.levelname, '0')}m{level}\x1b[0m"
        fields = {name: self._masking.field(text_of(name), record.__dict__[name]) for name in own_names(record)}
        for name, value in current_fields().items():
            fields.setdefault(name, self._masking.field(name, value))
        span = current_span()
        if span is not None:
            fields["request_id"] = span.request_id
        told = "".join(
            f" {_printable(text_of(name))}={_printable(self._masking.text(text_of(value)))}"
            for name, value in fields.items()
        )
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{clock} {level} {_printable(record.name)}: {_printable(message_of(record, self._masking))}{told}"
        if record.exc_info and record.exc_info[1] is not None:
            stack = stack_of(record.exc_info[1], self._masking)
            line += "\n" + "\n".join(f"    {_printable(part)}" for part in stack.splitlines())
        return line


def _printable(value: str) -> str:
    """The text without anything that could begin a line or steer a terminal."""
    if value.isprintable():
        return value
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in value
    )

"""Texts of whatever is logged: of the record's message, of values, of exceptions."""

import traceback
from collections.abc import Callable
from logging import LogRecord
from typing import Any, Final

from baselib.telemetry.logs.masking import Masking

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


def text_of(value: object, text: Callable[[object], str] = str) -> str:
    """The value as text, also where it has none.

    Args:
        value: Any value.
        text: `str` or `repr`.
    """
    try:
        return text(value)
    except Exception:  # noqa: BLE001 - a value's own code may raise anything
        return f"<{type(value).__name__} without text>"


def message_of(record: LogRecord, masking: Masking) -> str:
    """The record's message with its arguments in it, and what is secret masked.

    Args:
        record: What was logged; it stays as it is.
        masking: Says what is secret.
    """
    template: Any = record.msg
    if type(template) is not str:
        template = text_of(masking.value(template))
    arguments: Any = record.args
    if arguments:
        # Like this for the sake of the usual case, of one or two short arguments.
        for argument in arguments if type(arguments) is tuple else (arguments,):
            if type(argument) not in _SCALARS:
                arguments = masking.value(arguments)
                break
        try:
            template = template % arguments
        except Exception:  # noqa: BLE001 - a mistake in a log call is no reason to lose the line
            template = f"{template} {text_of(arguments)}"
    return masking.text(template) if "://" in template else template


def stack_of(error: BaseException, masking: Masking) -> str:
    """The stack of an exception and of its causes.

    Args:
        error: The exception.
        masking: Says what is secret in its text.
    """
    try:
        return masking.text("".join(traceback.format_exception(error)))
    except Exception:  # noqa: BLE001 - an exception's own code may raise anything
        return text_of(error)

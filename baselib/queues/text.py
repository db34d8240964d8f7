"""Text for a terminal: what a stranger sent must not move the cursor, colour the screen or reverse the line."""

from typing import Final

_MINUTE_SECONDS: Final = 60
_HOUR_SECONDS: Final = 3600
_DAY_SECONDS: Final = 86_400


def printable(text: str) -> str:
    r"""The text in one line, with everything that is no visible character escaped.

    >>> print(printable("red \x1b[31m, next\nline"))
    red \x1b[31m, next\nline

    Args:
        text: Any text.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def duration(seconds: float) -> str:
    """How long, in two units at most.

    >>> [duration(seconds) for seconds in (4, 125, 11_100, 266_400)]
    ['4 s', '2 min 5 s', '3 h 5 min', '3 d 2 h']

    Args:
        seconds: For how long.
    """
    whole = max(0, int(seconds))
    if whole < _MINUTE_SECONDS:
        return f"{whole} s"
    if whole < _HOUR_SECONDS:
        return f"{whole // _MINUTE_SECONDS} min {whole % _MINUTE_SECONDS} s"
    if whole < _DAY_SECONDS:
        return f"{whole // _HOUR_SECONDS} h {whole % _HOUR_SECONDS // _MINUTE_SECONDS} min"
    return f"{whole // _DAY_SECONDS} d {whole % _DAY_SECONDS // _HOUR_SECONDS} h"


def number_of(number: int, what: str) -> str:
    """A number of something.

    >>> number_of(1, "message"), number_of(2_000, "message")
    ('1 message', '2,000 messages')

    Args:
        number: How many.
        what: In the singular.
    """
    return f"{number:,} {what}" + ("" if number == 1 else "s")

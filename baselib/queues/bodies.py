"""Bodies of messages with secrets and personal data masked by the name of their field, as in the logs.

>>> BodyMask().masked('{"user": 7, "email": "ada@example.org"}')
'{"user": 7, "email": "***"}'

A body that is no JSON object or array has no names of fields, and is not shown at all.

>>> BodyMask().masked("call 555 0100") is None
True
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from baselib.contract import ConfigurationError
from baselib.contract.parsers import words
from baselib.telemetry.logs.masking import Masking

_VARIABLE: Final = "LOG_MASKED_FIELDS"
_MOST_LEVELS: Final = 16
_TOO_DEEP: Final = "..."


class BodyMask:
    """Masks.

    Args:
        environ: The environment variables; `LOG_MASKED_FIELDS` names further fields, as for the logs.

    Raises:
        ConfigurationError: `LOG_MASKED_FIELDS` holds something else than names.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._masking = Masking(_named((environ or {}).get(_VARIABLE)))

    def masked(self, body: str) -> str | None:
        """The body as JSON with values masked; None when it has no fields.

        Args:
            body: A message's body.
        """
        document = _document(body)
        if document is None:
            return None
        try:
            return json.dumps(self._masking.value(self._opened(document, 0)), ensure_ascii=False, default=str)
        except RecursionError:
            return None

    def field(self, name: str, value: str) -> str:
        """An attribute's value as it may be shown.

        Args:
            name: The attribute's name.
            value: Its value.
        """
        if _document(value) is not None:
            value = self.masked(value) or _TOO_DEEP
        return str(self._masking.field(name, value))

    def _opened(self, value: Any, level: int) -> Any:
        """The value with JSON inside its texts opened: SNS sends what it was given as a text in its own envelope."""
        if level >= _MOST_LEVELS:
            return _TOO_DEEP
        if isinstance(value, dict):
            return {name: self._opened(inner, level + 1) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._opened(inner, level + 1) for inner in value]
        document = _document(value) if isinstance(value, str) else None
        return value if document is None else self._opened(document, level + 1)


def _named(text: str | None) -> tuple[str, ...]:
    try:
        return words(text) if text else ()
    except ValueError:
        raise ConfigurationError([f"{_VARIABLE} is {text!r}: accepted are names separated by commas"]) from None


def _document(text: str) -> Any:
    if text.lstrip()[:1] not in {"{", "["}:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

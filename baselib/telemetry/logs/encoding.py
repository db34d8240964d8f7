"""From a dict to a line of JSON in ASCII, whatever the values are."""

import json
import re
from collections import deque
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, Final

import orjson

from baselib.telemetry.logs.masking import Masking, fields_of
from baselib.telemetry.logs.text import text_of

# A dataclass goes through `fields_of`, so that what its class keeps out of its text stays out of the line.
_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATACLASS

_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")


class Encoder:
    """Writes what orjson writes, and what it refuses.

    Args:
        masking: Says what is secret in a value's text.
    """

    def __init__(self, masking: Masking) -> None:
        self._masking = masking
        self._default = self._plain
        # For numbers beyond 64 bits, lone surrogates and keys that are no text. NaN is no JSON: orjson writes null.
        self._patient = json.JSONEncoder(separators=(",", ":"), default=self._as_orjson, allow_nan=False).encode

    def encode(self, line: Mapping[str, Any]) -> str:
        """One object of JSON in ASCII, because a line or paragraph separator begins a line for some readers.

        Args:
            line: Names and values; a value that is no JSON becomes its text.
        """
        try:
            encoded = orjson.dumps(line, self._default, _OPTIONS)
        except Exception:  # noqa: BLE001 - whatever a value does, the line is not lost
            return self._encode_each(line)
        if encoded.isascii():
            return encoded.decode("ascii")
        # Only inside texts can anything stand that is not ASCII.
        return _NOT_ASCII.sub(lambda found: encode_basestring_ascii(found[0])[1:-1], encoded.decode("utf-8"))

    def _encode_each(self, line: Mapping[str, Any]) -> str:
        return "{" + ",".join(f"{self._patient(name)}:{self._encode_one(value)}" for name, value in line.items()) + "}"

    def _encode_one(self, value: object) -> str:
        try:
            return self._patient(value)
        except Exception:  # noqa: BLE001 - see above
            return self._patient(self._text(value))

    def _plain(self, value: Any) -> Any:
        """What stands in the line for a value that orjson does not know."""
        fields = fields_of(value)
        if fields is not None:
            return fields
        return list(value) if isinstance(value, tuple | set | frozenset | deque) else self._text(value)

    def _as_orjson(self, value: Any) -> Any:
        """What orjson would make of a value that the standard library does not know, such as a time."""
        try:
            return orjson.loads(orjson.dumps(value, option=_OPTIONS))
        except Exception:  # noqa: BLE001 - it does not know it either
            return self._plain(value)

    def _text(self, value: object) -> str:
        return self._masking.text(text_of(value, repr))

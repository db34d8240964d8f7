"""Masking: secrets and personal data by the name of their field, and what a URL carries of them.

>>> masking = Masking()
>>> masking.value({"user": 7, "login": [{"apiKey": "k-1"}], "proxy": "http://me:pw@proxy:3128"})
{'user': 7, 'login': [{'apiKey': '***'}], 'proxy': 'http://me:***@proxy:3128'}
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import fields as dataclass_fields
from types import SimpleNamespace
from typing import Any, Final

from baselib.contract.settings import MASK
from baselib.telemetry.logs.sensitive import SensitiveNames

_LEFT_OUT: Final = "..."

_HARMLESS: Final = frozenset({int, float, bool, type(None), complex})
_SEQUENCES: Final = (list, tuple, set, frozenset, deque)

# Nobody reads more of one value, and no walk through it may take long.
_MOST_LEVELS: Final = 16
_MOST_VALUES: Final = 10_000

# RFC 3986, section 3.2.1: what stands between the first colon and the last @ of the authority.
_PASSWORD: Final = re.compile(r"(?<=://)([^\s/?#:@\"'<>]*):[^\s/?#\"'<>]+(?=@)")
_PARAMETER: Final = re.compile(r"(?<=[?&;])([^\s=&#;\"'<>]{1,200})=[^\s&#;\"'<>]+")


class Masking:
    """Hides values by the names of their fields; what it is given stays as it is.

    Args:
        more: Names hidden besides those that always are.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        self.hidden: Final = SensitiveNames(more)

    def field(self, name: str, value: Any) -> Any:
        """The value as it may be shown under this name.

        Args:
            name: The field's name.
            value: Its value; None, true and false tell nothing and are shown.
        """
        kind = type(value)
        if self.hidden[name] and value is not None and kind is not bool:
            return MASK
        if kind is str:
            return self.text(value) if "://" in value else value
        return value if kind in _HARMLESS else self.value(value)

    def text(self, text: str) -> str:
        """The text with the passwords and secret parameters of its URLs masked."""
        if "://" not in text:
            return text
        if "@" in text:
            text = _PASSWORD.sub(rf"\1:{MASK}", text)
        return _PARAMETER.sub(self._parameter, text) if "=" in text else text

    def value(self, value: Any) -> Any:
        """The value with everything masked that is inside it, or the value itself when there is nothing to mask.

        What lies too deep, or is too much, is left out, because it could not be looked at.
        """
        try:
            return _Walk(self).value(value, 0)
        except Exception:  # noqa: BLE001 - a value's own code may raise anything, and is then not shown at all
            return f"<{type(value).__name__} without text>"

    def _parameter(self, found: re.Match[str]) -> str:
        return f"{found[1]}={MASK}" if self.hidden[found[1]] else found[0]


class _Walk:
    """One way through a value, which ends even where the value contains itself."""

    def __init__(self, masking: Masking) -> None:
        self._masking = masking
        self._left = _MOST_VALUES

    def value(self, value: Any, level: int) -> Any:
        if type(value) in _HARMLESS:
            return value
        if isinstance(value, str):
            return self._masking.text(value)
        self._left -= 1
        if isinstance(value, _SEQUENCES) and not hasattr(type(value), "_fields"):
            return self._sequence(value, level)
        fields = fields_of(value)
        return value if fields is None else self._fields(value, fields, level)

    def _fields(self, value: Any, fields: Mapping[Any, Any], level: int) -> Any:
        if level >= _MOST_LEVELS or len(fields) > self._left:
            return _LEFT_OUT
        self._left -= len(fields)
        # A list, because another thread may change the dict meanwhile.
        items = list(fields.items())
        shown = [(name, self._field(name, inner, level)) for name, inner in items]
        # `is`, because comparing runs the values' own code.
        return value if all(mine[1] is item[1] for mine, item in zip(shown, items, strict=True)) else dict(shown)

    def _field(self, name: Any, value: Any, level: int) -> Any:
        text = _name(name)
        if text is not None and value is not None and type(value) is not bool and self._masking.hidden[text]:
            return MASK
        return self.value(value, level + 1)

    def _sequence(self, value: Any, level: int) -> Any:
        if level >= _MOST_LEVELS or len(value) > self._left:
            return _LEFT_OUT
        self._left -= len(value)
        items = list(value)
        shown = [self._item(item, level) for item in items]
        if all(mine is item for mine, item in zip(shown, items, strict=True)):
            return value
        return tuple(shown) if isinstance(value, tuple) else shown

    def _item(self, item: Any, level: int) -> Any:
        # A pair of a name and a value, as headers are often kept.
        if type(item) is tuple and len(item) == 2 and (name := _name(item[0])) is not None:
            shown = self._field(name, item[1], level)
            return item if shown is item[1] else (item[0], shown)
        return self.value(item, level + 1)


def fields_of(value: Any) -> Mapping[Any, Any] | None:
    """The fields of a mapping, headers, a dataclass, a pydantic model, an attrs class, a named tuple or a namespace.

    A field whose own class keeps it out of its text (`repr=False`) is not among them. None for anything else.

    Args:
        value: Any value.
    """
    kind = type(value)
    fields: Mapping[Any, Any] | None = None
    if isinstance(value, dict):
        # A subclass's own `items` may do anything.
        fields = value if kind is dict else dict(dict.items(value))
    elif hasattr(kind, "__dataclass_fields__"):
        fields = _present(value, ((each.name, each.repr) for each in dataclass_fields(value)))
    elif hasattr(kind, "__pydantic_fields__"):
        declared = _present(value, ((name, each.repr) for name, each in kind.__pydantic_fields__.items()))
        fields = {**declared, **(value.__pydantic_extra__ or {})}
    elif hasattr(kind, "__attrs_attrs__"):
        fields = _present(value, ((each.name, each.repr) for each in kind.__attrs_attrs__))
    elif isinstance(value, tuple) and hasattr(kind, "_fields"):
        fields = dict(zip(kind._fields, value, strict=False))
    elif isinstance(value, SimpleNamespace):
        fields = vars(value)
    elif isinstance(value, Mapping):
        fields = dict(value)
    elif hasattr(kind, "items") and (hasattr(kind, "getlist") or hasattr(kind, "get_all")):
        # Headers, of werkzeug and of the standard library, which are no mappings because a name may be there twice.
        fields = dict(value.items())
    return fields


def _present(value: Any, declared: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: getattr(value, name) for name, shown in declared if shown and hasattr(value, name)}


def _name(name: Any) -> str | None:
    if isinstance(name, str):
        return name
    return name.decode("latin-1") if isinstance(name, bytes) else None

"""Encoding: what orjson refuses becomes JSON all the same, in ASCII, next to values that keep their form."""

import datetime
import enum
import io
import json
import logging
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest

from baselib.telemetry.logs import log_handler


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: int


def _line(**fields: Any) -> dict[str, Any]:
    stream = io.StringIO()
    logger = logging.Logger("shop")  # noqa: LOG001
    logger.addHandler(log_handler({}, "json", stream))
    logger.info("sold", extra=fields)
    text = stream.getvalue()
    assert text.isascii()
    assert text.count("\n") == 1
    parsed: dict[str, Any] = json.loads(text, parse_constant=_no_constant)
    return parsed


def _no_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")


# What makes orjson give up, so that the second encoder writes the line.
REFUSED: dict[str, tuple[Any, Any]] = {
    "number of more than 64 bits": (2**80, 2**80),
    "lone surrogate": ("a\ud800", "a\ud800"),
    "number as key": ({1: 2}, {"1": 2}),
}
KEPT: dict[str, tuple[Any, Any]] = {
    "text": ("é\u2028\U0001f600", "é\u2028\U0001f600"),
    "time": (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2026-01-02T03:04:05+00:00"),
    "day": (datetime.date(2026, 1, 2), "2026-01-02"),
    "uuid": (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "enum": (Colour.RED, "red"),
    "dataclass": (Point(1, 2), {"x": 1, "y": 2}),
    "tuple": ((1, 2), [1, 2]),
    "set": ({1}, [1]),
    "deque": (deque([1]), [1]),
    "nan": (float("nan"), None),
    "nested": ({"a": [Point(1, 2)]}, {"a": [{"x": 1, "y": 2}]}),
}


@pytest.mark.parametrize("kept", sorted(KEPT))
def test_a_value_keeps_its_form(kept: str) -> None:
    value, expected = KEPT[kept]
    assert _line(field=value)["field"] == expected


@pytest.mark.parametrize("refused", sorted(REFUSED))
@pytest.mark.parametrize("kept", sorted(set(KEPT) - {"nan"}))
def test_a_value_keeps_its_form_beside_one_that_is_refused(kept: str, refused: str) -> None:
    (value, expected), (bad, written) = KEPT[kept], REFUSED[refused]
    line = _line(field=value, bad=bad)
    assert line["field"] == expected
    assert line["bad"] == written


def test_no_number_is_written_that_is_no_json() -> None:
    line = _line(field=[float("nan"), float("inf")], bad=2**80)
    assert "nan" in str(line["field"])


def test_text_of_any_language_is_escaped_and_comes_back() -> None:
    assert _line(field="日本語 \x7f\x80\U0010ffff")["field"] == "日本語 \x7f\x80\U0010ffff"

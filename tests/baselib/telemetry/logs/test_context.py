"""Fields on every line within a block."""

import io
import json
import logging
import threading
from typing import Any

import pytest

from baselib.telemetry.logs import log_fields, log_handler


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_blocks_add_up_and_end() -> None:
    stream = io.StringIO()
    handler = log_handler({}, "json", stream)
    with log_fields(order=7, step="pay"):
        with log_fields(step="ship", parcel=1):
            handler.handle(logging.makeLogRecord({"msg": "inner"}))
        handler.handle(logging.makeLogRecord({"msg": "outer"}))
    handler.handle(logging.makeLogRecord({"msg": "outside"}))
    inner, outer, outside = _lines(stream)
    assert (inner["order"], inner["step"], inner["parcel"]) == (7, "ship", 1)
    assert (outer["order"], outer["step"], "parcel" in outer) == (7, "pay", False)
    assert "order" not in outside


def test_what_the_line_says_itself_and_the_contracts_fields_go_before() -> None:
    stream = io.StringIO()
    handler = log_handler({"service": "api"}, "json", stream)
    with log_fields(order=7, service="forged", level="forged", message="forged"):
        handler.handle(logging.makeLogRecord({"msg": "paid", "levelname": "INFO", "order": 8}))
    (line,) = _lines(stream)
    assert (line["order"], line["service"], line["level"], line["message"]) == (8, "api", "INFO", "paid")


@pytest.mark.parametrize("form", ["json", "console"])
def test_they_are_masked_in_both_forms(form: Any) -> None:
    stream = io.StringIO()
    handler = log_handler({}, form, stream)
    with log_fields(password="hunter2", seat="a\nb"):
        handler.handle(logging.makeLogRecord({"msg": "login", "name": "shop", "levelname": "INFO"}))
    assert "hunter2" not in stream.getvalue()
    assert "***" in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 1


def test_they_are_this_threads_alone() -> None:
    stream = io.StringIO()
    handler = log_handler({}, "json", stream)
    with log_fields(order=7):
        other = threading.Thread(target=lambda: handler.handle(logging.makeLogRecord({"msg": "other"})))
        other.start()
        other.join()
    assert "order" not in _lines(stream)[0]


def test_an_exception_ends_the_block() -> None:
    stream = io.StringIO()
    handler = log_handler({}, "json", stream)
    with pytest.raises(ValueError, match="wrong"), log_fields(order=7):
        raise ValueError("wrong")
    handler.handle(logging.makeLogRecord({"msg": "after"}))
    assert "order" not in _lines(stream)[0]

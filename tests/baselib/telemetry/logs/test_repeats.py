"""Repeats: the same error is written a few times a minute, another one always."""

import io
import json
import logging
from typing import Any

import pytest

from baselib.contract import Settings
from baselib.telemetry.logs import LINES, configure_logs, log_handler
from baselib.telemetry.logs.repeats import _MOST_ERRORS, Repeats


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class _Sampled:
    def __init__(self, most: int = 2) -> None:
        self.clock = _Clock()
        self.stream = io.StringIO()
        self.logger = logging.Logger("shop")  # noqa: LOG001
        self.logger.addHandler(log_handler({}, "json", self.stream, repeats=Repeats(most, 60, self.clock)))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def messages(self) -> list[str]:
        return [line["message"] for line in self.lines()]


def _raised(text: str = "wrong") -> ValueError:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR, logging.CRITICAL])
def test_a_repeated_error_is_written_a_few_times_and_then_told_with_its_count(level: int) -> None:
    sampled = _Sampled()
    for number in range(5):
        sampled.logger.log(level, "order %d failed", number)
    assert sampled.messages() == ["order 0 failed", "order 1 failed"]
    sampled.clock.now += 60
    for number in range(5, 8):
        sampled.logger.log(level, "order %d failed", number)
    assert sampled.messages()[2:] == ["order 5 failed", "order 6 failed"]
    assert [line.get("repeated") for line in sampled.lines()] == [None, None, 3, None]


def test_an_error_that_was_quiet_for_a_window_begins_anew() -> None:
    sampled = _Sampled()
    for _ in range(3):
        sampled.logger.error("failed")
        sampled.clock.now += 61
    assert len(sampled.lines()) == 3
    assert all("repeated" not in line for line in sampled.lines())


def test_other_errors_are_written() -> None:
    sampled = _Sampled(most=1)
    one, other = _raised(), _raised("other text, same line")
    try:
        raise KeyError("a")
    except KeyError as error:
        elsewhere = error
    for _ in range(3):
        sampled.logger.error("a")
        sampled.logger.error("b")
        sampled.logger.warning("a")
        sampled.logger.error("a", exc_info=one)
        sampled.logger.error("a", exc_info=other)
        sampled.logger.error("a", exc_info=elsewhere)
    assert [(line["level"], line.get("error.type")) for line in sampled.lines()] == [
        ("ERROR", None),
        ("ERROR", None),
        ("WARNING", None),
        ("ERROR", "ValueError"),
        ("ERROR", "KeyError"),
    ]


@pytest.mark.parametrize("template", ["%s", "%s: %s", "[%(a)s]", "%-10s | %5.2f", "%r!"])
def test_a_template_that_says_nothing_is_told_apart_by_its_arguments(template: str) -> None:
    repeats = Repeats(most=1)
    records = [
        logging.makeLogRecord({"levelno": logging.ERROR, "msg": template, "args": ("x" * 1000 + str(number),)})
        for number in range(3)
    ]
    assert [repeats.left_out(record) for record in [*records, *records]] == [0, 0, 0, None, None, None]


def test_messages_that_are_values_are_told_apart() -> None:
    sampled = _Sampled(most=1)
    for number in range(3):
        sampled.logger.error({"order": number})
        sampled.logger.error(f"failed {number} " + "x" * 1000)
    assert len(sampled.lines()) == 6


@pytest.mark.parametrize(("name", "level"), [("shop", logging.INFO), ("shop", logging.DEBUG), ("baselib.span", 40)])
def test_what_is_no_warning_and_the_record_of_requests_are_always_written(name: str, level: int) -> None:
    sampled = _Sampled()
    sampled.logger.name = name
    for _ in range(20):
        sampled.logger.log(level, "request finished")
    assert len(sampled.lines()) == 20


def test_a_field_of_the_callers_of_that_name_is_kept() -> None:
    sampled = _Sampled(most=1)
    for _ in range(2):
        sampled.logger.error("failed", extra={"repeated": "mine"})
    sampled.clock.now += 60
    sampled.logger.error("failed", extra={"repeated": "mine"})
    assert (sampled.lines()[-1]["repeated"], sampled.lines()[-1]["repeated_"]) == (1, "mine")


def test_other_handlers_have_the_record_as_it_was() -> None:
    sampled, seen = _Sampled(most=1), []

    class Other(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    sampled.logger.addHandler(Other())
    for _ in range(2):
        sampled.logger.error("failed")
    sampled.clock.now += 60
    sampled.logger.error("failed")
    assert len(seen) == 3
    assert not any(hasattr(record, "repeated") for record in seen)


def test_what_is_left_out_is_counted() -> None:
    before = LINES.left_out[logging.ERROR]
    sampled = _Sampled(most=1)
    for _ in range(5):
        sampled.logger.error("failed")
    assert LINES.left_out[logging.ERROR] - before == 4


def test_errors_without_number_take_no_memory_without_end() -> None:
    repeats = Repeats(most=1)
    for number in range(2 * _MOST_ERRORS):
        assert repeats.left_out(logging.makeLogRecord({"levelno": 40, "msg": f"failed {number}"})) == 0
    assert len(repeats._windows) == _MOST_ERRORS
    assert repeats.left_out(logging.makeLogRecord({"levelno": 40, "msg": f"failed {2 * _MOST_ERRORS - 1}"})) is None


@pytest.mark.parametrize(
    ("form", "sample_repeats", "written"), [("json", True, 10), ("json", False, 30), ("console", True, 30)]
)
def test_a_service_samples_unless_it_is_told_not_to_or_is_on_a_console(
    form: Any, sample_repeats: bool, written: int
) -> None:
    stream = io.StringIO()
    settings = Settings(product="duolingo", service="api", owner="platform", log_format=form)
    configure_logs(settings, stream, sample_repeats=sample_repeats)
    for _ in range(30):
        logging.getLogger("shop").error("failed")
    assert stream.getvalue().count("failed") == written

"""Observers: a span's end becomes a log line, a counter and a timer, and a word to Sentry."""

import logging
import re
from typing import Any

import pytest

from baselib.telemetry import errors, observers
from baselib.telemetry.metrics import MetricsClient
from baselib.telemetry.observers import SpanErrors, SpanLog, SpanMetrics
from baselib.telemetry.span import Kind, Span


def _span(kind: Kind, outcome: str) -> Span:
    span = Span(kind, "the-name")
    span.outcome = outcome
    return span


@pytest.mark.parametrize(
    ("kind", "outcome", "level", "message"),
    [
        ("request", "200", logging.INFO, "request finished"),
        ("request", "500", logging.INFO, "request finished"),
        ("message", "done", logging.INFO, "message finished"),
        ("message", "failed", logging.ERROR, "message finished"),
        ("job", "done", logging.INFO, "cron finished"),
        ("job", "failed", logging.ERROR, "cron failed"),
    ],
)
def test_a_span_becomes_one_line(
    kind: Kind, outcome: str, level: int, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    span = _span(kind, outcome)
    span.fields["status"] = 7
    with caplog.at_level(logging.INFO):
        SpanLog().finished((span,))
    (record,) = caplog.records
    assert (record.levelno, record.getMessage(), record.name) == (level, message, "baselib.span")
    told: dict[str, Any] = vars(record)
    assert (told["span"], told["outcome"], told["status"]) == ("the-name", outcome, 7)
    assert told["duration_ms"] >= 0


def test_a_line_below_the_level_is_not_made(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        SpanLog().finished((_span("request", "200"),))
    assert caplog.records == []


@pytest.mark.parametrize(("kind", "name"), [("request", "requests"), ("message", "messages"), ("job", "jobs")])
def test_a_span_becomes_a_counter_and_a_timer(kind: Kind, name: str) -> None:
    entries: list[str] = []
    span = _span(kind, "done")
    span.tags["outcome"] = "done"
    SpanMetrics(MetricsClient(entries.append, prefix="duolingo.api")).finished((span,))
    counter, timer = entries
    assert counter == f"duolingo.api.{name}:1|c|#outcome:done"
    assert re.fullmatch(rf"duolingo\.api\.{name}\.time:\d+\.\d{{6}}\|ms\|#outcome:done", timer)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, False),
        (ValueError("wrong"), True),
        (SystemExit(75), False),
        (KeyboardInterrupt(), False),
        (GeneratorExit(), False),
    ],
)
def test_sentry_is_told_of_errors_and_not_of_ends(
    error: BaseException | None, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured: list[BaseException] = []
    monkeypatch.setattr(errors, "capture_exception", captured.append)
    span = _span("job", "failed")
    span.error = error
    SpanErrors().finished((span,))
    assert captured == ([error] if told else [])


def test_tags_without_end_take_no_room_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observers, "_MOST_TAGGED", 10)
    lines: list[str] = []
    observer = SpanMetrics(MetricsClient(lines.append))
    for number in range(35):
        span = _span("request", "200")
        span.tags["learner"] = str(number)
        observer.finished((span,))
    assert len(observer._known) <= 10
    assert len([line for line in lines if line.startswith("requests:1|c")]) == 35


def test_spans_of_different_tags_are_not_taken_for_each_other() -> None:
    lines: list[str] = []
    observer = SpanMetrics(MetricsClient(lines.append))
    for tags in ({"a": "b"}, {"a": "c"}, {"c": "b"}, {}, {"a": "b"}):
        span = _span("message", "done")
        span.tags = dict(tags)
        observer.finished((span,))
    counters = [line for line in lines if line.startswith("messages:")]
    assert counters == [
        "messages:1|c|#a:b",
        "messages:1|c|#a:c",
        "messages:1|c|#c:b",
        "messages:1|c",
        "messages:1|c|#a:b",
    ]

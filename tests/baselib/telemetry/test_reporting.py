"""Reporting: at once or in batches, never twice, never lost, and not by a thread that a fork has left behind."""

import os
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from baselib.telemetry import reporting
from baselib.telemetry.reporting import Reporter
from baselib.telemetry.span import Span
from tests.baselib.processes import until


class _Keeper:
    """Keeps each span with the thread that told of it."""

    def __init__(self) -> None:
        self.told: list[tuple[Span, threading.Thread]] = []

    def finished(self, spans: Sequence[Span]) -> None:
        self.told += [(span, threading.current_thread()) for span in spans]


def _in_child(check: Callable[[], bool]) -> bool:
    """Whether a check holds in a forked child."""
    child = os.fork()
    if child == 0:
        os._exit(0 if check() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_without_batches_a_span_is_told_at_once() -> None:
    keeper = _Keeper()
    span = Span("request", "/")
    Reporter((keeper,)).report(span)
    assert keeper.told == [(span, threading.current_thread())]


def test_in_batches_a_thread_tells_in_order() -> None:
    keeper = _Keeper()
    reporter = Reporter((keeper,))
    reporter.report_in_batches()
    spans = [Span("request", f"/{number}") for number in range(50)]
    for span in spans:
        reporter.report(span)
    until(lambda: len(keeper.told) == len(spans), "all are told")
    assert [told for told, _ in keeper.told] == spans
    assert threading.current_thread() not in {thread for _, thread in keeper.told}


def test_what_ended_with_an_exception_is_told_at_once() -> None:
    keeper = _Keeper()
    reporter = Reporter((keeper,))
    reporter.report_in_batches()
    span = Span("request", "/")
    span.error = ValueError("wrong")
    reporter.report(span)
    assert keeper.told == [(span, threading.current_thread())]


def test_too_many_are_told_at_once_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_MOST_WAITING", 10)
    monkeypatch.setattr(reporting, "_GATHER_SECONDS", 3600)
    keeper = _Keeper()
    reporter = Reporter((keeper,))
    reporter.report_in_batches()
    for number in range(25):
        reporter.report(Span("request", str(number)))
    assert [told.name for told, _ in keeper.told] == [str(number) for number in range(10, 25)]
    reporter.flush()
    assert {told.name for told, _ in keeper.told} == {str(number) for number in range(25)}
    assert len(keeper.told) == 25


def test_flush_tells_of_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_GATHER_SECONDS", 3600)
    keeper = _Keeper()
    reporter = Reporter((keeper,))
    reporter.report_in_batches()
    waiting = Span("request", "/waiting")
    reporter.report(waiting)
    assert keeper.told == []
    reporter.flush()
    assert [told for told, _ in keeper.told] == [waiting]


def test_the_time_is_that_of_the_end_and_not_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_GATHER_SECONDS", 3600)
    reporter = Reporter(())
    reporter.report_in_batches()
    span = Span("request", "/")
    reporter.report(span)
    took, ended = span.seconds, span.ended
    later = time.monotonic() + 0.02
    until(lambda: time.monotonic() > later, "some time has passed")
    reporter.flush()
    assert (span.seconds, span.ended) == (took, ended)


def test_a_forked_child_neither_waits_for_the_parents_thread_nor_tells_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_GATHER_SECONDS", 3600)
    keeper = _Keeper()
    reporter = Reporter((keeper,))
    reporter.report_in_batches()
    reporter.report(Span("request", "/parent"))

    def child() -> bool:
        reporter.flush()
        nothing_of_the_parent = keeper.told == []
        reporter.report(Span("request", "/child"))
        return nothing_of_the_parent and [told.name for told, _ in keeper.told] == ["/child"]

    assert _in_child(child)
    reporter.flush()
    assert [told.name for told, _ in keeper.told] == ["/parent"]


def test_a_forked_child_may_ask_for_batches_of_its_own() -> None:
    keeper = _Keeper()
    reporter = Reporter((keeper,))
    reporter.report_in_batches()

    def child() -> bool:
        reporter.report_in_batches()
        reporter.report(Span("request", "/child"))
        until(lambda: keeper.told, "the child's own thread tells")
        return keeper.told[0][1] is not threading.current_thread()

    assert _in_child(child)

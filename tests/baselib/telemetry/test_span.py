"""Spans: the current one is this thread's, and ends once with its observers told."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from baselib.telemetry.span import Span, activate, current_span, deactivate, finish, observed


class _Notes:
    def __init__(self) -> None:
        self.spans: list[tuple[Span, Span | None, BaseException | None]] = []

    def finished(self, spans: Sequence[Span]) -> None:
        self.spans += [(span, current_span(), span.error) for span in spans]


class _Broken:
    def finished(self, spans: Sequence[Span]) -> None:
        raise RuntimeError(spans[0].name)


@pytest.fixture(autouse=True)
def _no_span() -> Iterator[None]:
    deactivate()
    yield
    deactivate()


def test_a_span_is_current_inside_and_not_outside() -> None:
    with observed(Span("job", "nightly"), ()) as span:
        assert current_span() is span
    assert current_span() is None


def test_an_inner_span_gives_back_the_outer_one() -> None:
    with observed(Span("request", "outer"), ()) as outer:
        with observed(Span("message", "inner"), ()) as inner:
            assert current_span() is inner
        assert current_span() is outer


def test_observers_are_told_once_while_the_span_is_still_current() -> None:
    notes = _Notes()
    with observed(Span("job", "nightly"), (notes,)) as span:
        assert notes.spans == []
    assert notes.spans == [(span, span, None)]


def test_an_exception_is_kept_and_raised_on() -> None:
    notes, error = _Notes(), ValueError("wrong")
    with pytest.raises(ValueError, match="wrong"), observed(Span("job", "nightly"), (notes,)):
        raise error
    assert [told for _, _, told in notes.spans] == [error]
    assert current_span() is None


def test_the_end_of_the_process_is_kept_too() -> None:
    notes = _Notes()
    with pytest.raises(SystemExit), observed(Span("job", "nightly"), (notes,)):
        raise SystemExit(75)
    assert isinstance(notes.spans[0][2], SystemExit)


def test_a_broken_observer_costs_neither_the_work_nor_the_others() -> None:
    notes = _Notes()
    with observed(Span("job", "nightly"), (_Broken(), notes)):
        done = True
    assert done
    assert len(notes.spans) == 1


def test_a_broken_observer_does_not_hide_the_works_own_error() -> None:
    with pytest.raises(ValueError, match="wrong"), observed(Span("job", "nightly"), (_Broken(),)):
        raise ValueError("wrong")


def test_another_thread_does_not_see_this_ones_span() -> None:
    seen: list[Span | None] = []
    with observed(Span("job", "nightly"), ()):
        other = threading.Thread(target=lambda: seen.append(current_span()))
        other.start()
        other.join(10)
    assert seen == [None]


def test_a_span_can_be_made_current_without_a_with_block() -> None:
    span = Span("request", "/")
    activate(span)
    assert current_span() is span
    deactivate()
    assert current_span() is None


def test_finish_tells_every_observer() -> None:
    first, second = _Notes(), _Notes()
    finish((Span("job", "nightly"),), (first, second))
    assert len(first.spans) == len(second.spans) == 1


def test_a_span_without_an_id_gets_a_fresh_one() -> None:
    assert Span("request", "/").request_id != Span("request", "/").request_id
    assert Span("request", "/", request_id="given").request_id == "given"


def test_time_goes_on() -> None:
    span = Span("request", "/")
    assert 0 <= span.seconds <= span.seconds


def test_a_budget_becomes_a_deadline_that_comes_nearer() -> None:
    span = Span("request", "/", budget=30.0)
    assert span.deadline == span.started + 30.0
    remaining = span.remaining
    assert remaining is not None
    assert 0 < remaining <= 30.0
    assert Span("request", "/").remaining is None


def test_a_spent_budget_is_below_zero() -> None:
    remaining = Span("request", "/", budget=-1.0).remaining
    assert remaining is not None
    assert remaining < 0


def test_the_end_is_taken_once() -> None:
    span = Span("request", "/")
    span.end()
    took, ended = span.seconds, span.ended
    span.end()
    assert (span.seconds, span.ended) == (took, ended)

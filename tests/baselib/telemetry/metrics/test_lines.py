"""What events become: counters added up, the rest in order, and odd input that costs only itself."""

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.telemetry.metrics import MetricsClient
from baselib.telemetry.metrics.events import Tagged
from baselib.telemetry.metrics.lines import Lines


def _lines(ones: list[Any], events: list[Any]) -> tuple[list[str], Counter[str]]:
    lost: Counter[str] = Counter()
    return Lines("", {}, "dogstatsd", lost).of(ones, events), lost


def test_counters_are_added_up_by_name_tags_and_rate() -> None:
    tags = (("language", "es"),)
    events = [
        ("c", "a", 5, 1),
        ("c", "a", -2, 1),
        ("c", "a", 1, 0.5),
        ("c", "a", 1, 0.5),
        ("c", ("a", tags), 2, 1),
    ]
    lines, lost = _lines(["a", "a", ("a", tags), "b"], events)
    assert sorted(lines) == ["a:2|c|@0.5", "a:3|c|#language:es", "a:5|c", "b:1|c"]
    assert not lost


def test_gauges_stay_in_their_order_and_a_negative_one_cannot_be_cut_from_its_zero() -> None:
    lines, _ = _lines([], [("g", "a", 7, 1), ("+g", "a", -3, 1), ("g", "a", -1, 1)])
    assert lines == ["a:7|g", "a:-3|g", "a:0|g\na:-1|g"]


def test_a_small_rate_is_written_so_that_the_original_daemon_reads_it() -> None:
    # It reads digits and dots only: 1e-05 would be 1.
    lines, _ = _lines([], [("c", "a", 1, 0.00001)])
    assert lines == ["a:1|c|@0.000010000000"]


class _Hostile:
    """Whatever is asked of it, it fails."""

    def _fail(self, *_: object) -> NoReturn:
        raise ZeroDivisionError

    __str__ = __repr__ = __float__ = __eq__ = __hash__ = __lt__ = __neg__ = __bool__ = __len__ = _fail


ODD = [None, float("nan"), float("inf"), 10**400, "", "x", b"x", [], {}, object(), _Hostile(), 1j]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
def test_odd_values_never_raise_and_cost_no_other_metric(odd: Any) -> None:
    told: list[str] = []
    client = MetricsClient(told.append)
    for method in ("incr", "decr", "timing", "gauge", "histogram"):
        getattr(client, method)("a", odd)
    client.gauge("a", odd, delta=True)
    client.observe(Tagged("a.b", ()), Tagged("a.c", ()), odd)
    client.incr("after")
    assert "after:1|c" in told
    assert client.lost["invalid"] == 7
    assert [line for line in told if line.startswith("a:")] == []


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
def test_odd_names_tags_and_rates_never_raise_and_cost_no_other_metric(odd: Any) -> None:
    told: list[str] = []
    client = MetricsClient(told.append)
    for call in (
        lambda: client.incr(odd),
        lambda: client.incr("a", tags={"b": odd}),
        lambda: client.incr("a", tags=odd),
        lambda: client.timing("a", 1.5, tags={"b": odd, "c": odd}),
        lambda: client.incr("a", rate=odd),
        lambda: client.set("a", odd),
        lambda: client.observe(Tagged("a", odd), Tagged("b", odd), 1.5),
        lambda: client.observe(Tagged("a", ((odd, odd),)), Tagged(odd, ()), 1.5),
    ):
        call()  # type: ignore[no-untyped-call]
    client.incr("after")
    assert "after:1|c" in told


def test_one_odd_event_costs_no_other_of_the_same_batch() -> None:
    lines, lost = _lines(
        ["a", ("a", (("b", ["list"]),)), ("a", (("b", _Hostile()),)), "a", ("a", 7)],
        [("ms", "t", 1.5, 1), ("ms", "t", "x", 1), ("ms", "t", 2.5, 1), ("ms", "t")],
    )
    assert sorted(lines) == [
        "a:1|c|#b:['list']",
        "a:2|c",
        "t:1.500000|ms",
        "t:2.500000|ms",
    ]
    assert lost == {"invalid": 4}


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "1.0"), (Decimal("1.50"), "1.5"), (Fraction(1, 4), "0.25"), ("5", "5.0"), (10**20, "1" + "0" * 20)],
)
def test_other_kinds_of_numbers_are_understood(value: Any, text: str) -> None:
    told: list[str] = []
    MetricsClient(told.append).gauge("a", value)
    assert told == [f"a:{text}|g"]


def test_a_sum_that_no_number_holds_is_lost_alone() -> None:
    lines, lost = _lines([], [("c", "a", 1e308, 1)] * 2 + [("c", "b", 1, 1)])
    assert lines == ["b:1|c"]
    assert lost == {"invalid": 1}


def test_a_duration_may_be_a_timedelta() -> None:
    lines, _ = _lines([], [("ms", "a", timedelta(seconds=1.5), 1)])
    assert lines == ["a:1500.000000|ms"]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["es", "fr", None]), st.integers(-9, 9)), max_size=30))
def test_sums_are_those_of_the_calls(calls: list[tuple[str, str | None, int]]) -> None:
    told: list[str] = []
    client = MetricsClient(told.append)
    expected: Counter[str] = Counter()
    with client.pipeline() as pipe:
        for name, language, count in calls:
            pipe.incr(name, count, tags={"l": language} if language else None)
            expected[f"{name}|#l:{language}" if language else name] += count
    found: Counter[str] = Counter()
    for line in told:
        head, _, rest = line.partition(":")
        number, _, tail = rest.partition("|c")
        found[head + tail] += int(number)
    assert found == expected
    assert len(told) == len(expected)


def test_a_share_of_the_calls_is_sent() -> None:
    random.seed(7)
    told: list[str] = []
    client = MetricsClient(told.append)
    for _ in range(1_000):
        client.histogram("a", 1, rate=0.1)
    assert 50 < len(told) < 200
    assert set(told) == {"a:1|h|@0.1"}

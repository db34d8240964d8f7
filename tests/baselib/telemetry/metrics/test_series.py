"""The ends of the lines: tags in both dialects, nothing that forges a metric, and a bounded number of series."""

import logging
import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.contract.settings import Dialect
from baselib.telemetry.metrics import MetricsClient
from baselib.telemetry.metrics import series as module
from baselib.telemetry.metrics.events import Tagged
from baselib.telemetry.metrics.series import SeriesTable
from tests.baselib.telemetry.metrics.meaning import DOGSTATSD, STATSD, meaning

GRAMMARS: dict[Dialect, re.Pattern[str]] = {"dogstatsd": DOGSTATSD, "statsd": STATSD}
DIALECTS = pytest.mark.parametrize("dialect", GRAMMARS)


def _client(dialect: Dialect = "dogstatsd", **options: Any) -> tuple[MetricsClient, list[str]]:
    lines: list[str] = []
    return MetricsClient(lines.append, dialect=dialect, **options), lines


def test_tags_stand_behind_the_value_in_the_dogstatsd_form() -> None:
    client, lines = _client(prefix="duolingo.api", tags={"environment": "prod"})
    client.incr("a", tags={"language": "es"})
    client.gauge("b", 2, rate=1)
    client.timing("c", 3, tags={})
    client.histogram("d", 4, tags={"x": "1", "y": "2"})
    random.seed(7)
    while len(lines) < 5:
        client.incr("e", rate=0.5, tags={"x": "1"})
    assert lines == [
        "duolingo.api.a:1|c|#environment:prod,language:es",
        "duolingo.api.b:2|g|#environment:prod",
        "duolingo.api.c:3.000000|ms|#environment:prod",
        "duolingo.api.d:4|h|#environment:prod,x:1,y:2",
        "duolingo.api.e:1|c|@0.5|#environment:prod,x:1",
    ]


def test_the_original_daemon_gets_tags_in_the_name_ordered_by_key() -> None:
    client, lines = _client("statsd", prefix="duolingo.api", tags={"environment": "prod"})
    client.incr("requests", tags={"route": "/lessons/<int:lesson>", "method": "GET"})
    client.incr("requests", tags={"method": "GET", "route": "/lessons/<int:lesson>"})
    client.histogram("size", 4)
    client.incr("hosts", tags={"host": "a.b", "empty": ""})
    assert lines == [
        "duolingo.api.requests.environment.prod.method.GET.route._lessons__int_lesson_:1|c",
        "duolingo.api.requests.environment.prod.method.GET.route._lessons__int_lesson_:1|c",
        "duolingo.api.size.environment.prod:4|ms",
        "duolingo.api.hosts.empty._.environment.prod.host.a_b:1|c",
    ]


def test_a_tag_of_a_call_goes_before_one_of_the_client() -> None:
    client, lines = _client(tags={"environment": "prod"})
    client.incr("a", tags={"environment": "test"})
    assert lines == ["a:1|c|#environment:test"]


_WILD = st.one_of(st.text(max_size=20), st.text(alphabet="a:|#@,;=.\n\r \t\0\u2028\x85\ud800", max_size=8))


@DIALECTS
@settings(deadline=None, max_examples=300)
@given(name=_WILD, tags=st.dictionaries(_WILD, _WILD, max_size=3), prefix=_WILD)
def test_no_name_or_tag_forges_another_metric(dialect: Dialect, name: str, tags: dict[str, str], prefix: str) -> None:
    client, lines = _client(dialect, prefix="p" + prefix)
    client.incr("n" + name, tags={"t" + tag: value for tag, value in tags.items()})
    (line,) = lines
    assert GRAMMARS[dialect].fullmatch(line), line
    assert len(line.splitlines()) == 1
    if dialect == "dogstatsd":
        assert line.count(",") == max(len(tags) - 1, 0)
    else:
        # What Graphite would split on: only the dots that the caller, or the prefix, has put there, and ours.
        assert line.count(".") == prefix.count(".") + 1 + name.count(".") + 2 * len(tags)


@DIALECTS
@settings(deadline=None, max_examples=200)
@given(_WILD)
def test_no_value_of_a_set_forges_another_metric(dialect: Dialect, value: str) -> None:
    client, lines = _client(dialect)
    client.set("a", value)
    (line,) = lines
    assert re.fullmatch(r"a:[^:|#@,\s]*\|s", line), line


@DIALECTS
@pytest.mark.parametrize("value", ["1|c\nevil:1", "1|g", " 1|c|#a:b", "\N{ARABIC-INDIC DIGIT ONE}|c"])
def test_no_number_forges_another_metric(dialect: Dialect, value: Any) -> None:
    client, lines = _client(dialect)
    client.incr("a", value)
    client.gauge("a", value)
    client.timing("a", value)
    client.histogram("a", value)
    assert lines == []
    assert client.lost["invalid"] == 4


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test reaches."""
    monkeypatch.setattr(module, "MAXIMUM_NAMES", 5)
    monkeypatch.setattr(module, "MAXIMUM_SERIES_OF_A_NAME", 3)
    monkeypatch.setattr(module, "MAXIMUM_SERIES", 8)


@pytest.mark.usefixtures("small_limits")
def test_beyond_the_limit_values_of_tags_become_other_and_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    client, lines = _client(tags={"environment": "prod"})
    with caplog.at_level(logging.WARNING):
        for user in range(10):
            client.incr("lessons", tags={"user": str(user)})
        client.incr("lessons", tags={"user": "1"})
    found = meaning(lines).counters
    assert found == {
        "lessons|#environment:prod,user:0": 1,
        "lessons|#environment:prod,user:1": 2,
        "lessons|#environment:prod,user:2": 1,
        "lessons|#environment:prod,user:other": 7,
    }
    assert [record.message for record in caplog.records] == [
        "too many combinations of tags of the metric lessons: further values become 'other'"
    ]
    assert not client.lost["cardinality"]


@pytest.mark.usefixtures("small_limits")
def test_beyond_the_limit_names_are_lost_and_counted_and_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    client, lines = _client()
    with caplog.at_level(logging.WARNING):
        for number in range(8):
            client.incr(f"a{number}")
            client.timing(f"a{number}", 1.0)
    assert len(meaning(lines).counters) == len(meaning(lines).timings) == 5
    assert client.lost == {"cardinality": 6}
    assert len(caplog.records) == 1


@pytest.mark.usefixtures("small_limits")
def test_the_table_stays_bounded_whatever_varies() -> None:
    client, lines = _client()
    for number in range(2_000):
        client.incr("keys", tags={f"key{number}": "1"})
        client.incr(f"name{number % 7}", tags={"value": number})  # type: ignore[dict-item]
        client.incr("values", tags={"value": "x" * number})
    assert len(client._lines._series._known) <= 2 * 8
    assert client.lost["cardinality"] > 1_000
    assert lines


def test_long_names_and_values_are_cut_and_kept_once() -> None:
    client, lines = _client()
    for number in range(3):
        client.incr("n" * 1_000, tags={"t": "v" * (1_000 + number)})
    assert lines == [f"{'n' * 200}:1|c|#t:{'v' * 200}"] * 3
    assert len(client._lines._series._known) == 1


def test_equal_values_of_different_types_keep_their_own_text() -> None:
    client, lines = _client()
    for value in (1, True, 1.0, "1", b"1", None):
        client.incr("a", tags={"v": value})  # type: ignore[dict-item]
    assert [line.rpartition(":")[2] for line in lines] == ["1", "True", "1.0", "1", "1", "None"]


def test_keys_that_are_made_anew_each_time_take_no_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_SERIES", 10)
    table = SeriesTable("", {}, "dogstatsd")
    found = {table.find(Tagged("a", (("b", "c"),))) for _ in range(100)}
    assert found == {table.find(("a", (("b", "c"),)))}
    assert len(table._tagged) == 10

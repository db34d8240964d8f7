"""The policy of shedding, without a server."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from baselib.web.shedding import Shedding

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(("request_seconds", "budget"), [(60, 5), (10, 5), (4, 2)])
def test_a_request_may_wait_for_half_of_its_time_and_for_five_seconds_at_most(
    request_seconds: float, budget: float
) -> None:
    assert Shedding(4, request_seconds).budget(HEAD) == budget


@pytest.mark.parametrize(
    ("given", "budget"), [(b"200", 0.2), (b"0", 0.0), (b"60000", 5.0), (b"soon", 5.0), (b"-1", 5.0), (b"", 5.0)]
)
def test_a_caller_may_give_it_less_and_never_more(given: bytes, budget: float) -> None:
    assert Shedding(4, 60).budget(HEAD[:-2] + b"x-request-timeout-ms: " + given + b"\r\n\r\n") == budget


def test_the_wait_is_foretold_from_the_mean_and_one_slow_request_does_not_decide_it() -> None:
    shedding = Shedding(4, 60)
    assert shedding.wait(100) == 0
    for _ in range(200):
        shedding.note(0.1)
    assert shedding.wait(39) == pytest.approx(1.0, rel=0.01)
    shedding.note(3600)
    assert shedding.wait(7) < 1


def test_those_that_have_waited_for_too_long_are_found() -> None:
    waiting: list[Any] = [SimpleNamespace(queued=100.0, budget=5.0), SimpleNamespace(queued=104.0, budget=0.5)]
    shedding = Shedding(4, 60)
    assert shedding.late(waiting, 104.4) == []
    assert shedding.late(waiting, 105.0) == waiting[1:]
    assert shedding.late(waiting, 106.0) == waiting


def test_a_flood_is_logged_once_a_second_at_most(caplog: pytest.LogCaptureFixture) -> None:
    shedding = Shedding(4, 60)
    with caplog.at_level(logging.WARNING):
        answers = {shedding.refuse("waited", HEAD, 10)[:12] for _ in range(500)}
    assert answers == {b"HTTP/1.1 503"}
    assert len(caplog.records) <= 5

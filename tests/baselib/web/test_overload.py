"""Overload, against `baselib serve` as a process."""

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from baselib.testing import StatsdReceiver
from tests.baselib.processes import Answer, Launch, ask, status, until
from tests.baselib.web.served import Client, Served

SLOW = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"


@contextlib.contextmanager
def busy(served: Served) -> Iterator[Client]:
    with Client(served.port, SLOW) as client:
        served.begun()
        yield client


def test_a_request_that_waits_for_too_long_is_answered_503_and_counted(tmp_path: Path, launch: Launch) -> None:
    with StatsdReceiver() as statsd:
        served = Served(tmp_path, launch, WEB_THREADS="1", LONGEST_WAIT="0.3", **statsd.environment)
        with busy(served) as first:
            with Client(served.port, b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n") as second:
                head, _, body = second.everything().partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert b"Content-Type: application/problem+json" in head
            assert b"Retry-After: 1" in head
            assert json.loads(body)["request_id"] == "mine"
            assert status(served.port, "/healthz/live") == 200
            served.let_go()
            assert first.answer() == (200, b"finished")
            assert status(served.port, "/") == 200
            until(
                lambda: [line for line in statsd.lines if "requests.shed:" in line and "reason:waited" in line], "count"
            )
            until(
                lambda: (
                    [line for line in statsd.lines if "requests.queue_time:" in line] or status(served.port, "/") == 0
                ),
                "time",
            )
    (line, *_) = served.program.logged("requests shed: every request thread is busy")
    assert line["level"] == "WARNING"


def test_a_request_is_refused_at_once_when_those_before_it_take_too_long(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch, WEB_THREADS="1", LONGEST_WAIT="2")
    for _ in range(20):
        assert status(served.port, "/nap?seconds=0.1") == 200
    with busy(served) as first:
        answers: list[Answer | None] = []
        callers = [threading.Thread(target=lambda: answers.append(ask(served.port, "/"))) for _ in range(60)]
        for caller in callers:
            caller.start()
        until(lambda: answers, "the first are refused before anybody has waited")
        served.let_go()
        for caller in callers:
            caller.join()
        found = Counter(answer.status if answer else None for answer in answers)
        assert set(found) == {200, 503}
        assert first.answer()[0] == 200


def test_a_caller_that_waits_less_long_is_told_sooner(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch, WEB_THREADS="1", LONGEST_WAIT="25")
    with busy(served) as first:
        with (
            Client(served.port, b"GET / HTTP/1.1\r\nx-request-timeout-ms: 200\r\n\r\n") as hasty,
            Client(served.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as patient,
        ):
            assert hasty.answer()[0] == 503
            assert not patient.closed
            served.let_go()
            assert patient.answer()[0] == 200
        assert first.answer()[0] == 200


@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/ready", "/healthz/dependencies"])
def test_health_is_never_shed(tmp_path: Path, launch: Launch, path: str) -> None:
    served = Served(tmp_path, launch, WEB_THREADS="1", LONGEST_WAIT="0.2")
    with busy(served) as first:
        with Client(served.port, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()) as health:
            with Client(served.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as other:
                assert other.answer()[0] == 503
            served.let_go()
            assert health.answer()[0] == 200
        assert first.answer()[0] == 200


def test_one_slow_request_does_not_make_the_next_ones_be_refused(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch, WEB_THREADS="2", LONGEST_WAIT="2")
    for _ in range(30):
        assert status(served.port, "/") == 200
    assert status(served.port, "/nap?seconds=3") == 200
    answers: list[int | None] = []
    callers = [threading.Thread(target=lambda: answers.append(status(served.port, "/"))) for _ in range(12)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == [200] * 12

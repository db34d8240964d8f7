"""Tried again only where that is safe, seldom enough, and never past the deadline."""

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from baselib.http import CallTimeoutError, ConnectFailedError, DependencyClient, DependencyError, UnavailableError
from baselib.http import protected_calls as module
from baselib.http.retries import RetryBudget, back_off, retry_after
from baselib.http.sockets import connected
from baselib.telemetry import Span, observed
from tests.baselib.http.conftest import Serve
from tests.baselib.http.scripted import Step, answer, hang_up, raw, reset
from tests.baselib.processes import PATIENCE_SECONDS, free_port, until


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_an_idempotent_call_is_tried_again(serve: Serve, method: str, status: int) -> None:
    server, client = serve(answer(status), answer(status), answer(200))
    assert client.request(method, "/").status == 200
    assert len(server.requests) == 3


@pytest.mark.parametrize("step", [hang_up, reset])
def test_an_idempotent_call_is_tried_again_when_the_connection_breaks(serve: Serve, step: Step) -> None:
    server, client = serve(step, step, answer(200))
    assert client.get("/").status == 200
    assert len(server.requests) == 3


def test_there_are_three_attempts_and_no_more(serve: Serve, captured_metrics: list[str]) -> None:
    server, client = serve(answer(503))
    assert client.get("/").status == 503
    assert len(server.requests) == 3
    assert captured_metrics.count("test.dependencies.calls.retries:1|c|#dependency:shop-stock") == 2
    assert sum(line.startswith("test.dependencies.calls:1") for line in captured_metrics) == 1
    server, client = serve(hang_up)
    with pytest.raises(UnavailableError):
        client.get("/")
    assert len(server.requests) == 3


@pytest.mark.parametrize("step", [answer(503), hang_up, reset])
@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.post("/"),
        lambda client: client.patch("/"),
        lambda client: client.get("/", idempotent=False),
    ],
)
def test_what_may_have_been_done_is_not_done_twice(
    serve: Serve, step: Step, call: Callable[[DependencyClient], object]
) -> None:
    server, client = serve(step)
    # On a fresh connection and on a kept one.
    for _ in range(2):
        try:
            call(client)
        except UnavailableError as error:
            assert error.sent  # noqa: PT017 - an answer is as good
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [200, 302, 400, 404, 429, 500, 501])
def test_other_answers_are_final(serve: Serve, status: int) -> None:
    server, client = serve(answer(status))
    assert client.get("/").status == status
    assert len(server.requests) == 1


def test_who_says_that_a_post_is_idempotent_sends_the_same_key_each_time(serve: Serve) -> None:
    server, client = serve(answer(503), hang_up, answer(201))
    assert client.post("/", json={"a": 1}, idempotent=True).status == 201
    keys = {request.headers["idempotency-key"] for request in server.requests}
    assert (len(server.requests), len(keys)) == (3, 1)
    assert {request.body for request in server.requests} == {b'{"a":1}'}
    server.script(answer(201))
    client.post("/", idempotent=True)
    client.post("/", idempotent=True, headers={"Idempotency-Key": "mine"})
    client.post("/")
    client.get("/")
    told = [request.headers.get("idempotency-key") for request in server.requests[3:]]
    assert told[0] is not None
    assert told[0] not in keys
    assert told[1:] == ["mine", None, None]


def test_what_was_never_sent_is_tried_again_whatever_the_method(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, captured_metrics: list[str]
) -> None:
    server, client = serve()
    ports = [free_port(), free_port(), server.port]
    monkeypatch.setattr(
        "baselib.http.transport.connected", lambda host, _, deadline: connected(host, ports.pop(0), deadline)
    )
    assert client.post("/").status == 200
    assert len(server.requests) == 1
    assert captured_metrics.count("test.dependencies.calls.retries:1|c|#dependency:shop-stock") == 2


def test_a_kept_connection_that_breaks_is_replaced_without_counting_as_a_retry(
    serve: Serve, captured_metrics: list[str]
) -> None:
    server, client = serve(answer(), hang_up, answer())
    client.get("/")
    assert client.get("/").status == 200
    assert len(server.requests) == 3
    assert not any("retries" in line for line in captured_metrics)


def test_a_post_over_a_kept_connection_that_breaks_is_not_sent_twice(serve: Serve) -> None:
    server, client = serve(answer(), hang_up)
    client.post("/")
    with pytest.raises(UnavailableError) as error:
        client.post("/")
    assert error.value.sent
    assert len(server.requests) == 2


def test_an_answer_that_began_is_not_asked_for_again(serve: Serve) -> None:
    server, client = serve(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))
    with pytest.raises(UnavailableError) as error:
        client.get("/")
    assert error.value.answered
    assert len(server.requests) == 1


def test_a_time_out_is_tried_again_within_the_budget(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ATTEMPT_SECONDS", 0.1)
    server, client = serve()
    server.script(server.silent, server.silent, answer())
    assert client.get("/", fallback=None).status == 200
    server.script(server.silent)
    with pytest.raises(CallTimeoutError):
        client.post("/")
    assert len(server.requests) == 4


def test_retry_after_is_obeyed(serve: Serve) -> None:
    server, client = serve(answer(503, headers={"Retry-After": "1"}), answer(200))
    started = time.monotonic()
    assert client.get("/").status == 200
    assert time.monotonic() - started >= 1
    assert len(server.requests) == 2


@pytest.mark.parametrize("after", ["3600", "9" * 10, format_datetime(datetime.now(UTC) + timedelta(hours=1))])
def test_a_retry_after_the_deadline_is_not_waited_for(serve: Serve, after: str) -> None:
    server, client = serve(answer(503, headers={"Retry-After": after}))
    with observed(Span("request", "/", budget=PATIENCE_SECONDS), ()) as span:
        assert client.get("/").status == 503
        assert span.remaining is not None
        assert span.remaining > PATIENCE_SECONDS / 2
    assert len(server.requests) == 1


def test_an_error_knows_that_an_earlier_attempt_was_sent(serve: Serve) -> None:
    server, client = serve()

    def end(connection: socket.socket) -> bool:
        server.close()
        return False

    server.script(end)
    with pytest.raises(ConnectFailedError) as error:
        client.get("/")
    assert error.value.sent


def test_an_outage_is_not_multiplied(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server, client = serve(answer(503))
    # The breaker would end the outage for the server before the budget is seen.
    monkeypatch.setattr(client._calls._breaker, "_next_state", lambda failed: None)
    now = [0.0]
    client._calls._retries._clock = lambda: now[0]
    client._calls._retries.after_fork()
    for _ in range(100):
        client.get("/")
    # The bucket, and a fifth of the calls; what the first call puts into a full bucket is lost.
    assert len(server.requests) == 100 + 10 + 20 - 1


def test_an_open_circuit_ends_the_retries(serve: Serve) -> None:
    server, client = serve(answer(503))
    while client._calls._breaker.state == "closed":
        client.get("/")
    assert len(server.requests) == 10


def test_each_attempt_is_told_what_is_left(serve: Serve) -> None:
    def slow(connection: object) -> bool:
        time.sleep(0.3)
        return False

    server, client = serve(slow, answer())
    client.get("/", timeout=PATIENCE_SECONDS)
    first, second = (int(request.headers["x-request-timeout-ms"]) for request in server.requests)
    assert first - second >= 300


def test_nothing_more_is_sent_when_the_time_is_up(serve: Serve) -> None:
    def slow(connection: object) -> bool:
        time.sleep(0.5)
        return False

    server, client = serve(slow)
    with pytest.raises(DependencyError):
        client.get("/", timeout=0.4)
    until(lambda: server._at_once == 0, "the server has hung up")
    assert len(server.requests) == 1


def test_nobody_at_all_is_told_as_it_is(captured_metrics: list[str]) -> None:
    client = DependencyClient("shop-stock", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ConnectFailedError):
        client.post("/")
    assert sum("retries" in line for line in captured_metrics) == 2


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        (None, 0, 0),
        ("", 0, 0),
        ("0", 0, 0),
        (" 7 ", 7, 7),
        ("-1", 0, 0),
        ("1.5", 0, 0),
        ("soon", 0, 0),
        ("9" * 400, 0, 0),
        ("²", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00", 0, 0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", 0, 0),
        (format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True), 3000, 3600),
    ],
)
def test_retry_after_is_read(value: str | None, least: float, most: float) -> None:
    assert least <= retry_after(value) <= most


def test_the_back_off_is_spread_from_zero_to_a_bound_that_doubles() -> None:
    for retry, bound in ((1, 0.1), (2, 0.2), (3, 0.4), (10, 1.0), (1000, 1.0)):
        drawn = [back_off(retry) for _ in range(1000)]
        assert 0 <= min(drawn) < 0.2 * bound
        assert 0.8 * bound < max(drawn) <= bound


def test_the_budget_has_a_floor_and_a_bound() -> None:
    now = [0.0]
    budget = RetryBudget(lambda: now[0])
    assert sum(budget.withdraw() for _ in range(50)) == 10
    now[0] = 3.0
    assert sum(budget.withdraw() for _ in range(50)) == 3
    now[0] = 10_000.0
    for _ in range(1000):
        budget.deposit()
    assert sum(budget.withdraw() for _ in range(50)) == 10

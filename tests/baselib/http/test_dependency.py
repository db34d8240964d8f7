"""A call from its arguments to its answer: what arrives, what comes back, and what is said when nothing does."""

import logging
import os
import select
import signal
import socket
import threading
import time
import traceback

import pytest

from baselib import dns
from baselib.http import (
    BadBodyError,
    BadStatusError,
    BulkheadFullError,
    CallTimeoutError,
    CircuitOpenError,
    ConnectFailedError,
    DeadlinePassedError,
    DependencyClient,
    DependencyError,
    Response,
    UnavailableError,
)
from baselib.http import breaker as breaker_module
from baselib.telemetry import Span, observed
from tests.baselib.http.conftest import Serve
from tests.baselib.http.scripted import Step, answer, hang_up, raw, reset
from tests.baselib.processes import PATIENCE_SECONDS, free_port, until

TRACE = "1-67891233-abcdef012345678912345678"


def test_an_answer_is_given_as_it_came(serve: Serve) -> None:
    _, client = serve(answer(404, b'{"a": "\xc3\xa4"}', {"X-Kind": "fruit"}))
    response = client.get("/apples")
    assert (response.status, response.content, response.text) == (404, b'{"a": "\xc3\xa4"}', '{"a": "ä"}')
    assert response.json() == {"a": "ä"}
    assert response.headers["x-kind"] == "fruit"
    assert not response.is_fallback
    with pytest.raises(BadStatusError, match=r"^shop-stock: answered 404$") as error:
        response.raise_for_status()
    assert error.value.status == 404


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete"])
def test_every_method_arrives(serve: Serve, method: str) -> None:
    server, client = serve(answer(204))
    assert getattr(client, method)("/apples", params={"color": ["red", "green"], "none": None}).status == 204
    assert client.request(method, "/pears?ripe=1", params={"size": 3}).raise_for_status().status == 204
    assert [(request.method, request.target) for request in server.requests] == [
        (method.upper(), "/apples?color=red&color=green"),
        (method.upper(), "/pears?ripe=1&size=3"),
    ]
    assert server.connections == 1


def test_a_head_is_answered_without_a_body_and_the_connection_is_kept(serve: Serve) -> None:
    server, client = serve(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", close=False), answer(200, b"x"))
    assert client.head("/").content == b""
    assert client.get("/").content == b"x"
    assert server.connections == 1


def test_a_body_is_sent_as_json_or_as_it_is(serve: Serve) -> None:
    server, client = serve()
    client.post("/", json={"ripe": True})
    client.post("/", body="ä", headers={"Content-Type": "text/plain"})
    client.put("/", body=b"\x00")
    client.post("/")
    assert [(request.body, request.headers.get("content-type")) for request in server.requests] == [
        (b'{"ripe":true}', "application/json"),
        ("ä".encode(), "text/plain"),
        (b"\x00", None),
        (b"", None),
    ]


def test_who_asks_and_for_whom_is_passed_on(serve: Serve) -> None:
    server, client = serve()
    with observed(Span("request", "/", request_id="abc", trace_id=TRACE), ()):
        client.get("/", headers={"X-Kind": "fruit"})
        client.get("/", headers={"X-Request-ID": "mine", "User-Agent": "me"})
    client.get("/")
    first, second, without = (request.headers for request in server.requests)
    assert (first["x-request-id"], first["x-amzn-trace-id"]) == ("abc", f"Root={TRACE}")
    assert (first["user-agent"], first["x-kind"]) == ("duolingo-api/1", "fruit")
    assert (second["x-request-id"], second["user-agent"]) == ("mine", "me")
    assert "x-request-id" not in without
    assert "x-amzn-trace-id" not in without


def test_a_request_id_that_would_forge_a_header_is_replaced(serve: Serve) -> None:
    server, client = serve()
    with observed(Span("job", "nightly", request_id="a\r\nX-Admin: 1"), ()):
        client.get("/")
    assert "x-admin" not in server.requests[0].headers
    assert server.requests[0].headers["x-request-id"].isalnum()


def test_the_callers_budget_travels_and_the_smaller_one_counts(serve: Serve) -> None:
    server, client = serve()
    client.get("/")
    client.get("/", timeout=7)
    with observed(Span("request", "/", budget=2), ()):
        client.get("/", timeout=7)
        client.get("/", timeout=1)
    told = [int(request.headers["x-request-timeout-ms"]) for request in server.requests]
    assert 4000 < told[0] <= 5000
    assert 6000 < told[1] <= 7000
    assert 1000 < told[2] <= 2000
    assert 0 < told[3] <= 1000


def test_nothing_is_sent_when_the_budget_is_spent(serve: Serve, captured_metrics: list[str]) -> None:
    server, client = serve()
    with observed(Span("request", "/", budget=0), ()), pytest.raises(DeadlinePassedError) as error:
        client.get("/")
    assert not error.value.sent
    assert server.connections == 0
    assert "test.dependencies.calls:1|c|#dependency:shop-stock,outcome:deadline_passed" in captured_metrics


@pytest.mark.parametrize("timeout", [0, -1])
def test_a_timeout_of_nothing_sends_nothing(serve: Serve, timeout: float) -> None:
    server, client = serve()
    with pytest.raises(DependencyError):
        client.get("/", timeout=timeout)
    assert server.connections == 0


@pytest.mark.parametrize("timeout", [float("nan"), float("inf")])
def test_a_timeout_that_never_ends_is_refused(serve: Serve, timeout: float) -> None:
    server, client = serve()
    with pytest.raises(ValueError, match="not a finite number"):
        client.get("/", timeout=timeout)
    assert server.connections == 0


def test_a_name_that_is_not_known_yet_costs_no_more_than_a_connection_may(monkeypatch: pytest.MonkeyPatch) -> None:
    from baselib.http import transport  # noqa: PLC0415

    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.05)
    forever = threading.Event()

    def hang(*_: object) -> list[tuple[object, ...]]:
        forever.wait()
        return []

    dns.install(hang)
    with pytest.raises(ConnectFailedError, match="no connection in time"):
        DependencyClient("shop-stock", "http://stock.internal").post("/")
    forever.set()


def test_a_server_that_is_silent_costs_no_more_than_the_budget(serve: Serve) -> None:
    server, client = serve()
    server.script(server.silent)
    with observed(Span("request", "/", budget=0.3), ()) as span:
        with pytest.raises(CallTimeoutError, match=r"^shop-stock: did not answer in time$") as error:
            client.get("/")
        assert span.remaining is not None
        # Far less than the five seconds of an attempt.
        assert span.remaining > -3
    assert error.value.sent
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "pieces",
    [
        [b"H"],
        [b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"],
        [b"HTTP/1.1 200 OK\r\n\r\n", b"x"],
        [b"HTTP/1.1 100 Continue\r\n\r\n"],
    ],
    ids=["status", "headers", "body", "chunks", "endless", "interim"],
)
def test_a_trickle_does_not_outlive_the_deadline_and_is_not_asked_for_again(serve: Serve, pieces: list[bytes]) -> None:
    server, client = serve()
    server.script(server.trickle(pieces))
    started = time.monotonic()
    with pytest.raises(DependencyError) as error:
        client.get("/", timeout=1)
    assert time.monotonic() - started < PATIENCE_SECONDS / 2
    assert error.value.answered
    assert len(server.requests) == 1


def test_a_server_that_does_not_read_costs_no_more_than_the_deadline(serve: Serve) -> None:
    server, client = serve(read_body=False)
    server.script(server.silent)
    with pytest.raises(CallTimeoutError):
        client.post("/", body=b"x" * 30_000_000, timeout=0.5)


def test_who_refuses_a_body_before_it_has_read_it_is_heard(serve: Serve) -> None:
    def refuse(connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        # What is read no further would be answered with RST, which can overtake the answer.
        while connection.recv(65536):
            pass
        return False

    _, client = serve(refuse, read_body=False)
    assert client.post("/", body=b"x" * 3_000_000).status == 413


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 2OO OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        b"\x00" * 100,
    ],
)
def test_garbage_is_an_error_that_does_not_quote_it_and_is_not_asked_for_again(serve: Serve, garbage: bytes) -> None:
    server, client = serve(raw(garbage), answer())
    with pytest.raises(UnavailableError, match=r"^shop-stock: broke off \(\w+\)$") as error:
        client.get("/")
    assert error.value.__cause__ is None
    assert (error.value.sent, error.value.answered) == (True, True)
    assert client.get("/").status == 200
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 17_000_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n",
    ],
    ids=["said", "endless", "chunks"],
)
def test_a_huge_body_is_refused(serve: Serve, start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    from baselib.http import transport  # noqa: PLC0415

    if b"chunked" in start:
        monkeypatch.setattr(transport, "MAXIMUM_BODY_BYTES", 500_000)
    server, client = serve(raw(start), answer())
    with pytest.raises(BadBodyError, match=r"^shop-stock: answered with more than \d+ bytes$"):
        client.get("/")
    assert client.get("/").status == 200
    assert server.connections == 2


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip  # noqa: PLC0415

    from baselib.http import transport  # noqa: PLC0415

    monkeypatch.setattr(transport, "MAXIMUM_BODY_BYTES", 1_000_000)
    _, client = serve(answer(200, gzip.compress(b"x" * 1_000_001), {"Content-Encoding": "gzip"}))
    with pytest.raises(BadBodyError):
        client.get("/")


def test_a_packed_body_is_unpacked(serve: Serve) -> None:
    import gzip  # noqa: PLC0415

    _, client = serve(answer(200, gzip.compress(b"apples"), {"Content-Encoding": "gzip"}))
    assert client.get("/").content == b"apples"


def test_a_body_that_is_not_json_is_an_error_that_does_not_show_it(serve: Serve) -> None:
    _, client = serve(answer(200, b"<html>hunter2"))
    with pytest.raises(BadBodyError, match=r"^shop-stock: answered with a body that is not JSON$") as error:
        client.get("/").json()
    assert "hunter2" not in "".join(traceback.format_exception(error.value))


def test_a_redirect_is_an_answer_and_is_not_followed(serve: Serve) -> None:
    other, _ = serve()
    server, client = serve(answer(302, b"", {"Location": f"{other.url}/secret"}))
    assert client.get("/").status == 302
    assert (len(server.requests), other.connections) == (1, 0)


def test_a_proxy_in_the_environment_is_not_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    _, client = serve()
    assert client.get("/").status == 200


def test_user_and_password_of_the_url_are_sent_and_the_path_is_kept(serve: Serve) -> None:
    server, _ = serve()
    client = DependencyClient("shop-stock", f"http://us%40er:hunter2@127.0.0.1:{server.port}/stock/?secret=1")
    client.get("/apples")
    client.close()
    request = server.requests[0]
    assert request.target == "/stock/apples"
    assert request.headers["authorization"] == "Basic dXNAZXI6aHVudGVyMg=="
    assert request.headers["host"] == f"127.0.0.1:{server.port}"


# In two parts, because a trace shows this file's source.
SECRET = "hunter" + "2"


@pytest.mark.parametrize("step", [hang_up, reset, raw(f"HTTP/1.1 {SECRET}\r\n\r\n".encode())])
def test_no_secret_is_in_an_error(serve: Serve, step: Step) -> None:
    server, _ = serve(step)
    client = DependencyClient("shop-stock", f"http://user:{SECRET}@127.0.0.1:{server.port}")
    with pytest.raises(UnavailableError) as error:
        client.post(f"/reset/{SECRET}?token={SECRET}", json={"a": SECRET}, headers={"X-Key": SECRET})
    assert SECRET not in "".join(traceback.format_exception(error.value))


def test_no_query_is_in_a_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    _, client = serve(raw(b"HTTP/1.1 200 OK\r\nX-A: b\r\nnonsense\r\nX-C: d\r\n\r\n"))
    assert client.get(f"/?token={SECRET}").status == 200
    # urllib3 says that it could not read the header.
    assert "Failed to parse headers" in caplog.text
    assert SECRET not in caplog.text


def test_a_connection_is_kept_and_one_that_was_closed_meanwhile_is_not_used(serve: Serve) -> None:
    server, client = serve()
    client.post("/")
    client.post("/")
    assert server.connections == 1
    server.drop_connections()
    until(lambda: not server._open, "the server closes its side")
    assert client.post("/").status == 200
    assert server.connections == 2
    assert len(server.requests) == 3


def test_a_connection_that_says_close_is_not_kept(serve: Serve) -> None:
    server, client = serve(answer(200, b"abc", {"Connection": "close"}))
    assert [client.get("/").content for _ in range(3)] == [b"abc"] * 3
    assert server.connections == 3


def test_an_idle_connection_is_dropped_before_the_other_side_does(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    from baselib.http import transport  # noqa: PLC0415

    server, client = serve()
    client.get("/")
    monkeypatch.setattr(transport, "_IDLE_SECONDS", 0.0)
    client.get("/")
    assert server.connections == 2


def test_a_child_of_a_fork_has_connections_of_its_own(serve: Serve) -> None:
    server, client = serve(answer(200, b"abc"))
    client.get("/")
    read, write = os.pipe()
    # As if another thread held it at this moment.
    with client._calls._lock:
        process = os.fork()
        if process == 0:
            try:
                os.write(write, client.get("/child", timeout=10).content)
            finally:
                os._exit(0)
    os.close(write)
    told_in_time = select.select([read], [], [], PATIENCE_SECONDS)[0]
    os.kill(process, signal.SIGKILL)
    assert told_in_time
    with os.fdopen(read, "rb") as told:
        assert told.read() == b"abc"
    os.waitpid(process, 0)
    assert client.get("/").content == b"abc"
    assert [request.connection for request in server.requests] == [1, 2, 1]


def test_threads_share_the_client_and_no_answer_is_mixed_up(serve: Serve) -> None:
    server, client = serve(places=4)
    seen: list[bool] = []

    def call(thread: int) -> None:
        for number in range(20):
            body = f"{thread}-{number}".encode()
            seen.append(client.post("/", body=body).status == 200)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert seen == [True] * 80
    assert len({request.body for request in server.requests}) == 80
    assert server.connections <= 4


def test_a_full_bulkhead_is_said_at_once_and_frees_itself(serve: Serve, captured_metrics: list[str]) -> None:
    server, client = serve(places=2)
    go_on = threading.Event()

    def slow(connection: socket.socket) -> bool:
        go_on.wait(PATIENCE_SECONDS)
        return answer()(connection)

    server.script(slow)
    threads = [threading.Thread(target=client.get, args=("/",), kwargs={"timeout": PATIENCE_SECONDS}) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(server.requests) == 2, "two calls are in flight")
    with pytest.raises(BulkheadFullError, match=r"^shop-stock: 2 calls are in flight already$"):
        client.get("/")
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert client.get("/").status == 200
    assert server.most_at_once == 2
    assert "test.dependencies.calls:1|c|#dependency:shop-stock,outcome:bulkhead_full" in captured_metrics


def test_an_outage_opens_the_circuit_and_recovery_closes_it(
    serve: Serve, captured_metrics: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    server, client = serve(answer(500))
    now = [0.0]
    client._calls._breaker._clock = lambda: now[0]
    client._calls._breaker.after_fork()
    for _ in range(breaker_module.MINIMUM_CALLS):
        assert client.get("/").status == 500
    with pytest.raises(CircuitOpenError):
        client.get("/")
    assert client.get("/", fallback="last known").json() == "last known"
    assert len(server.requests) == breaker_module.MINIMUM_CALLS
    server.script(answer())
    now[0] += breaker_module.OPEN_SECONDS
    for _ in range(breaker_module.PROBES):
        assert client.get("/").status == 200
    assert client._calls._breaker.state == "closed"
    gauges = [line for line in captured_metrics if line.startswith("test.dependencies.open")]
    assert gauges == [f"test.dependencies.open:{value}|g|#dependency:shop-stock" for value in (1, 0, 0)]
    assert [record.state for record in caplog.records if record.message == "circuit breaker changed"] == [  # type: ignore[attr-defined]
        "open",
        "half-open",
        "closed",
    ]


def test_answers_below_500_do_not_open_the_circuit(serve: Serve) -> None:
    _, client = serve(answer(429))
    for _ in range(2 * breaker_module.MINIMUM_CALLS):
        client.get("/")
    assert client._calls._breaker.state == "closed"


@pytest.mark.parametrize(("budget", "state"), [(0.05, "closed"), (None, "open")])
def test_a_time_out_opens_the_circuit_unless_it_was_the_callers_own_short_budget(
    serve: Serve, budget: float | None, state: str
) -> None:
    server, client = serve(places=20)
    server.script(server.silent)
    for _ in range(breaker_module.MINIMUM_CALLS):
        with observed(Span("request", "/", budget=budget), ()), pytest.raises(CallTimeoutError):
            client.post("/", timeout=None if budget else 0.05)
    assert client._calls._breaker.state == state


def test_whatever_ends_a_call_gives_its_place_and_its_probe_back(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    _, client = serve(places=1)
    transport = client._calls._connections()

    class GivenUp(BaseException):
        pass

    def give_up(*_: object) -> Response:
        raise GivenUp

    now = [0.0]
    client._calls._breaker._clock = lambda: now[0]
    client._calls._breaker._become("open")
    now[0] = breaker_module.OPEN_SECONDS
    with monkeypatch.context() as patched:
        patched.setattr(transport, "exchange", give_up)
        for _ in range(2 * breaker_module.PROBES):
            with pytest.raises(GivenUp):
                client.get("/")
    assert client._calls._breaker.state == "half-open"
    assert client.get("/").status == 200


def test_the_fallback_stands_in_for_no_answer_and_for_a_broken_one(serve: Serve, captured_metrics: list[str]) -> None:
    server, client = serve(answer(500), answer(404))
    errors: list[DependencyError] = []

    def remembered(error: DependencyError) -> dict[str, int]:
        errors.append(error)
        return {"apples": 3}

    first = client.get("/", fallback=remembered)
    assert (first.is_fallback, first.status, first.json()) == (True, 0, {"apples": 3})
    assert first.raise_for_status() is first
    assert isinstance(errors[0], BadStatusError)
    assert not client.get("/", fallback=None).is_fallback
    server.script(hang_up)
    assert client.post("/", fallback=None).json() is None
    assert client.post("/", fallback=[1]).json() == [1]
    outcomes = [line.rpartition(":")[2] for line in captured_metrics if line.startswith("test.dependencies.calls:")]
    assert outcomes == ["5xx", "4xx", "unavailable", "unavailable"]


def test_what_the_caller_did_wrong_is_not_hidden_by_a_fallback(serve: Serve) -> None:
    server, client = serve()
    with pytest.raises(ValueError, match="path"):
        client.get("no-slash", fallback=[])
    assert server.connections == 0


def test_nobody_at_the_port_is_a_failure_before_anything_was_sent() -> None:
    client = DependencyClient("shop-stock", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ConnectFailedError, match=r"^shop-stock: no connection \(Connection refused\)$") as error:
        client.post("/")
    assert not error.value.sent


def test_a_name_that_does_not_exist_is_a_failure_before_anything_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    client = DependencyClient("shop-stock", "http://shop-stock.invalid")
    with pytest.raises(ConnectFailedError, match="its name could not be resolved"):
        client.get("/")


def test_the_next_address_is_tried_when_one_does_not_answer(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server, _ = serve()
    dead = free_port()
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (dead, server.port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
    client = DependencyClient("shop-stock", "http://shop-stock.internal")
    assert client.get("/").status == 200
    client.close()
    assert server.requests[0].headers["host"] == "shop-stock.internal"


def test_time_and_count_are_told_with_the_outcome(serve: Serve, captured_metrics: list[str]) -> None:
    _, client = serve(answer(201))
    client.get("/")
    told = sorted(line.partition(":")[0] for line in captured_metrics)
    assert told == ["test.dependencies.calls", "test.dependencies.calls.time"]
    assert all(line.endswith("|#dependency:shop-stock,outcome:2xx") for line in captured_metrics)

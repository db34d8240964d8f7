"""Requests as bytes, against `baselib serve` as a process: what is valid is served, what is not is refused politely."""

import json
from pathlib import Path

import pytest

from tests.baselib.processes import Launch, ask, status
from tests.baselib.web.served import Client, Served

END = b"Host: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def served(tmp_path: Path, launch: Launch) -> Served:
    return Served(tmp_path, launch)


def exchange(served: Served, sent: bytes) -> tuple[int, bytes]:
    with Client(served.port, sent) as client:
        return client.answer()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET / HTTP/1.1\r\n" + END, 200),
        (b"\r\nGET / HTTP/1.1\r\n" + END, 200),
        (b"GET / HTTP/1.0\r\n\r\n", 200),
        (b"GET /?a=" + b"b" * 16_000 + b" HTTP/1.1\r\n" + END, 200),
        (b"GET / HTTP/1.1\r\nx-large: " + b"b" * 16_000 + b"\r\n" + END, 200),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"b" * 15_000) for n in range(4)) + END, 200),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"b" * 60) for n in range(900)) + END, 200),
        (b"POST /echo HTTP/1.1\r\ncontent-length: 2\r\n" + END + b"ok", 200),
        (b"GET /headers HTTP/1.1\r\nuser-agent: small\r\n" + END, 200),
    ],
)
def test_what_the_load_balancer_lets_through_is_served(served: Served, sent: bytes, expected: int) -> None:
    assert exchange(served, sent)[0] == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\nHost", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: odd\r\n\r\n", 501),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 2\r\n\r\nok", 417),
        (b"GET /" + b"b" * 17_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /" + b"b" * 17_000, 414),
        (b"GET / HTTP/1.1\r\nx: " + b"b" * 17_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"x: " + b"b" * 90_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"x: b\r\n" * 2000 + b"\r\n", 431),
    ],
)
def test_what_is_malformed_or_too_large_is_refused_with_problem_json_and_no_stack_trace(
    served: Served, sent: bytes, expected: int
) -> None:
    found, body = exchange(served, sent)
    assert found == expected
    problem = json.loads(body)
    assert problem["status"] == expected
    assert problem["request_id"]
    assert "Traceback" not in served.program.output + served.program.errors
    assert '"ERROR"' not in served.program.output
    assert status(served.port, "/") == 200


def test_a_refusal_is_logged_without_what_the_client_sent(served: Served) -> None:
    exchange(served, b"GET / HTTP/1.1\r\nauthorization secret-of-the-caller\r\n\r\n")
    (line,) = served.program.ready(lambda: served.program.logged("request refused"), "it is logged")
    assert line["level"] == "INFO"
    assert line["status"] == 400
    assert "secret-of-the-caller" not in served.program.output + served.program.errors


def test_pipelined_requests_are_answered_in_order(served: Served) -> None:
    two = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none" + b"POST /echo HTTP/1.1\r\nHost: a\r\n"
    with Client(served.port, two) as client:
        assert client.answer() == (200, b"one")
        client.send(b"Content-Length: 3\r\n\r\ntwoGET /headers HTTP/1.1\r\nHost: a\r\nUser-Agent: third\r\n\r\n")
        assert client.answer() == (200, b"two")
        found, body = client.answer()
        assert (found, json.loads(body)["agent"]) == (200, "third")


def test_a_request_that_comes_byte_by_byte_is_served(served: Served) -> None:
    with Client(served.port) as client:
        for byte in b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n":
            client.send(bytes([byte]))
        assert client.answer() == (200, b"ok")


def test_a_body_is_asked_for_before_it_is_sent(served: Served) -> None:
    with Client(
        served.port, b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    ) as client:
        assert client.answer()[0] == 100
        client.send(b"ok")
        assert client.answer() == (200, b"ok")


def test_a_body_that_nobody_reads_leaves_the_next_request_alone(served: Served) -> None:
    with Client(served.port, b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n" + b"G" * 30) as client:
        assert client.answer() == (200, b"unread")
        client.send(b"GET /headers HTTP/1.1\r\nHost: a\r\nUser-Agent: next\r\n\r\n")
        found, body = client.answer()
        assert (found, json.loads(body)["agent"]) == (200, "next")


def test_a_head_request_is_answered_without_a_body(served: Served) -> None:
    with Client(served.port, b"HEAD / HTTP/1.1\r\n" + END) as client:
        head, _, body = client.everything().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b""
    with Client(served.port, b"HEAD / HTTP/9.9\r\n\r\n") as client:
        head, _, body = client.everything().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert body == b""


def test_a_health_question_with_a_body_does_not_leave_it_on_the_connection(served: Served) -> None:
    sent = b"GET /healthz/live HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n" + b"G" * 30
    with Client(served.port, sent) as client:
        assert client.answer()[0] == 200
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer()[0] == 200


def test_the_time_in_the_queue_is_known_to_the_application(served: Served) -> None:
    answer = ask(served.port, "/environ")
    assert answer is not None
    assert 0 <= json.loads(answer.body)["waited"] < 30


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        (b"", "http"),
        (b"X-Forwarded-Proto: https\r\n", "https"),
        (b"X-Forwarded-Proto: http\r\n", "http"),
        (b"X-Forwarded-Proto: javascript\r\n", "http"),
        (b"X-Forwarded-Ssl: on\r\nX-Forwarded-Protocol: ssl\r\n", "http"),
        (b"Script-Name: /elsewhere\r\nSCRIPT_NAME: /elsewhere\r\n", "http"),
    ],
)
def test_the_load_balancer_says_how_the_client_came(served: Served, headers: bytes, scheme: str) -> None:
    with Client(served.port, b"GET /environ HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n") as client:
        status, body = client.answer()[:2]
    assert status == 200
    found = json.loads(body)
    assert (found["scheme"], found["script"]) == (scheme, "")

"""The span around a request: ids, metrics, the log line, and that it ends once."""

import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from flask import Flask, Response
from werkzeug.test import EnvironBuilder, run_wsgi_app

from baselib.service import Service
from baselib.telemetry import Span, current_span
from baselib.telemetry.reporting import Reporter
from baselib.web import create_app, requests
from baselib.web.requests import RequestSpans
from tests.baselib.processes import IDENTITY

MADE = re.compile(r"[0-9a-f]{32}")
TRACE = "1-67891233-abcdef012345678912345678"


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> list[Span]:
    """The spans that ended."""
    spans: list[Span] = []

    class Keeper:
        def finished(self, ended: Sequence[Span]) -> None:
            spans.extend(ended)

    monkeypatch.setattr(requests, "REPORTER", Reporter((Keeper(),)))
    return spans


def _routes(app: Flask, service: Service) -> None:
    @app.get("/people/<int:number>")
    def person(number: int) -> str:
        return str(number)

    @app.get("/stream")
    def stream() -> Response:
        return Response(part for part in (b"one", b"two", b"three"))

    @app.get("/broken-stream")
    def broken_stream() -> Response:
        def parts() -> Iterator[bytes]:
            yield b"one"
            raise RuntimeError("the source has gone")

        return Response(parts())

    @app.get("/id")
    def own_id() -> str:
        span = current_span()
        return span.request_id if span else ""


def _made() -> Flask:
    # A test that reads the log calls this itself: pytest gives each phase of a test another standard output.
    return create_app(__name__, routes=_routes, environ=IDENTITY)


@pytest.fixture
def app() -> Flask:
    return _made()


def _lines(capsys: pytest.CaptureFixture[str], message: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["message"] == message]


@pytest.mark.parametrize("given", ["abc-123", "a" * 128, "Root=1-2@x+y/z:0"])
def test_a_harmless_request_id_of_the_caller_is_kept(app: Flask, given: str) -> None:
    answer = app.test_client().get("/id", headers={"X-Request-Id": given})
    assert (answer.text, answer.headers["X-Request-Id"]) == (given, given)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "a" * 129,
        "a b",
        "a\r\nSet-Cookie: stolen=1",
        "a\n",
        "\x00",
        '"}',
        "ä",
        "a\u2028b",
        "<script>",
        "%0d%0aX: 1",
        "a;b",
        "a,b",
    ],
)
def test_a_request_id_that_could_forge_something_is_replaced(app: Flask, given: str) -> None:
    # Past the client, which would refuse some of these by itself.
    environ = EnvironBuilder("/id").get_environ()
    environ["HTTP_X_REQUEST_ID"] = given
    body, _, headers = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    made = headers["X-Request-Id"]
    assert MADE.fullmatch(made)
    assert b"".join(body).decode() == made
    assert "Set-Cookie" not in headers


def test_each_request_without_an_id_gets_another(app: Flask) -> None:
    client = app.test_client()
    made = {client.get("/id").headers["X-Request-Id"] for _ in range(50)}
    assert len(made) == 50
    assert all(MADE.fullmatch(each) for each in made)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"Root={TRACE}", TRACE),
        (f"Self=1-67891234-12456789abcdef012345678;Root={TRACE}", TRACE),
        (f"Root={TRACE};CalledFrom=app", TRACE),
        (f"NotRoot={TRACE}", None),
        ("Root=1-2-3", None),
        (f'Root={TRACE}"', None),
        ("", None),
    ],
)
def test_the_trace_of_the_load_balancer_is_in_the_log_line(
    capsys: pytest.CaptureFixture[str], header: str, expected: str | None
) -> None:
    _made().test_client().get("/id", headers={"X-Amzn-Trace-Id": header}, buffered=True)
    (line,) = _lines(capsys, "request finished")
    assert line.get("trace_id") == expected


def test_the_log_line_has_the_id_of_the_answer_and_the_route(capsys: pytest.CaptureFixture[str]) -> None:
    answer = _made().test_client().get("/people/7", buffered=True)
    (line,) = _lines(capsys, "request finished")
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["route"], line["method"], line["status"], line["bytes"]) == ("/people/<int:number>", "GET", 200, 1)
    assert line["duration_ms"] > 0
    assert "/people/7" not in json.dumps(line)


def test_the_metrics_are_tagged_with_the_route_and_not_with_the_path(app: Flask, captured_metrics: list[str]) -> None:
    for number in range(5):
        app.test_client().get(f"/people/{number}", buffered=True)
    tagged = {line.rpartition("|#")[2] for line in captured_metrics if "requests" in line}
    assert tagged == {"method:GET,route:/people/<int_number>,status:200"}
    assert len([line for line in captured_metrics if "test.requests:1|c" in line]) == 5


def test_paths_without_a_route_share_one_tag(app: Flask, captured_metrics: list[str]) -> None:
    for number in range(5):
        assert app.test_client().get(f"/nothing/{number}", buffered=True).status_code == 404
    tagged = {line.rpartition("|#")[2] for line in captured_metrics if "requests" in line}
    assert tagged == {"method:GET,route:unmatched,status:404"}


@pytest.mark.parametrize("method", ["BREW", "get", "PROPFIND", "X" * 100, "A:1|c", ""])
def test_an_unknown_method_makes_no_new_metric(app: Flask, captured_metrics: list[str], method: str) -> None:
    environ = EnvironBuilder("/id").get_environ()
    environ["REQUEST_METHOD"] = method
    run_wsgi_app(app.wsgi_app, environ, buffered=True)
    (line,) = [line for line in captured_metrics if line.startswith("test.requests:")]
    assert "method:OTHER" in line
    assert len(line) < 80


def test_a_span_ends_when_the_last_byte_is_out(app: Flask, finished: list[Span]) -> None:
    body, _, _ = run_wsgi_app(app.wsgi_app, EnvironBuilder("/stream").get_environ(), buffered=False)
    parts = iter(body)
    assert next(parts) == b"one"
    assert finished == []
    assert b"".join(parts) == b"twothree"
    body.close()  # type: ignore[attr-defined]
    (span,) = finished
    assert (span.outcome, span.log_fields()["bytes"]) == ("200", 11)


def test_a_span_ends_once_when_the_client_goes_away(app: Flask, finished: list[Span]) -> None:
    body, _, _ = run_wsgi_app(app.wsgi_app, EnvironBuilder("/stream").get_environ(), buffered=False)
    next(iter(body))
    body.close()  # type: ignore[attr-defined]
    (span,) = finished
    assert span.log_fields()["bytes"] == 3
    assert current_span() is None


def test_a_streamed_answer_that_is_read_and_closed_is_one_request(app: Flask, finished: list[Span]) -> None:
    with app.test_client().get("/stream") as answer:
        assert answer.data == b"onetwothree"
    assert len(finished) == 1


def test_an_error_while_streaming_is_kept_for_the_observers(app: Flask, finished: list[Span]) -> None:
    body, _, _ = run_wsgi_app(app.wsgi_app, EnvironBuilder("/broken-stream").get_environ(), buffered=False)
    with pytest.raises(RuntimeError, match="the source has gone"):
        list(body)
    body.close()  # type: ignore[attr-defined]
    (span,) = finished
    assert isinstance(span.error, RuntimeError)


def test_a_span_lasts_while_the_body_is_streamed(finished: list[Span]) -> None:
    seen: list[str] = []

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        for _ in range(2):
            span = current_span()
            seen.append(span.request_id if span else "")
            yield b"."

    environ = EnvironBuilder("/").get_environ()
    environ["HTTP_X_REQUEST_ID"] = "mine"
    run_wsgi_app(RequestSpans(application, 60.0), environ, buffered=True)
    assert seen == ["mine", "mine"]
    assert len(finished) == 1


def test_an_exception_of_the_application_ends_the_span_and_goes_on(finished: list[Span]) -> None:
    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise MemoryError("no more")

    with pytest.raises(MemoryError):
        run_wsgi_app(RequestSpans(application, 60.0), EnvironBuilder("/").get_environ())
    (span,) = finished
    assert isinstance(span.error, MemoryError)
    assert (span.outcome, dict(span.metric_tags())["status"]) == ("500", "500")
    assert current_span() is None


def test_a_body_whose_close_fails_ends_the_span_all_the_same(finished: list[Span]) -> None:
    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter((b"x",))

        def close(self) -> None:
            raise OSError("gone")

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Body()

    body = RequestSpans(application, 60.0)(EnvironBuilder("/").get_environ(), lambda *_: lambda _: None)
    with pytest.raises(OSError, match="gone"):
        body.close()  # type: ignore[attr-defined]
    assert len(finished) == 1


def test_the_answer_to_a_failing_start_is_the_one_that_counts(finished: list[Span]) -> None:
    started: list[Any] = []

    def start(*given: Any) -> Any:
        started.append(given)

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        start_response("502 Bad Gateway", [], (ValueError, ValueError(), None))
        return [b""]

    body = RequestSpans(application, 60.0)(EnvironBuilder("/").get_environ(), start)
    body.close()  # type: ignore[attr-defined]
    assert [span.outcome for span in finished] == ["502"]
    assert [len(given) for given in started] == [2, 3]


def test_one_request_leaves_no_span_to_the_next_one_of_its_thread(app: Flask) -> None:
    client = app.test_client()
    client.get("/id", headers={"X-Request-Id": "first"}, buffered=True)
    assert current_span() is None
    assert client.get("/id").text != "first"


def test_the_time_in_the_queue_is_spent_of_the_budget() -> None:
    environ = EnvironBuilder("/").get_environ()
    environ["HTTP_X_REQUEST_TIMEOUT_MS"] = "5000"
    whole = requests.RequestSpan(environ, 60.0)
    environ[requests.QUEUED_KEY] = time.monotonic() - 3
    late = requests.RequestSpan(environ, 60.0)
    assert whole.deadline == whole.started + 5
    assert late.queued is not None
    assert late.deadline == pytest.approx(late.queued + 5)

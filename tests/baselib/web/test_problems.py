"""Every error answer is problem JSON, and tells no more than it may."""

import json
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask, Response, abort
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

from baselib.service import Service
from baselib.telemetry import Span
from baselib.telemetry.reporting import Reporter
from baselib.web import Problem, create_app, requests
from tests.baselib.processes import IDENTITY

SECRET = "password=hunter2"


def _routes(app: Flask, service: Service) -> None:
    app.add_url_rule("/only-post", view_func=lambda: "", methods=["POST"], endpoint="only_post")

    @app.get("/fails")
    def fails() -> str:
        raise RuntimeError(SECRET)

    @app.get("/aborts/<int:status>")
    def aborts(status: int) -> str:
        abort(status)

    @app.get("/busy")
    def busy() -> str:
        raise TooManyRequests(retry_after=7)

    @app.get("/down")
    def down() -> str:
        raise ServiceUnavailable("at night", retry_after=60)

    @app.get("/taken")
    def taken() -> str:
        raise Problem(409, "this name is taken", name="ana", tries=[1, 2])

    @app.get("/strange")
    def strange() -> str:
        raise Problem(599, "nobody knows this status")

    app.add_url_rule("/folder/", view_func=lambda: "", endpoint="folder")

    @app.get("/own")
    def own() -> str:
        abort(Response("my own words", 418, {"X-Own": "1"}))


def _made() -> Flask:
    # A test that reads the log calls this itself: pytest gives each phase of a test another standard output.
    return create_app(__name__, routes=_routes, environ=IDENTITY)


@pytest.fixture
def app() -> Flask:
    return _made()


def _problem(app: Flask, path: str, method: str = "GET") -> tuple[dict[str, Any], Any]:
    answer = app.test_client().open(path, method=method)
    assert answer.headers.getlist("Content-Type") == ["application/problem+json"]
    problem: dict[str, Any] = json.loads(answer.data)
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return problem, answer


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 409, 410, 413, 415, 418, 422, 429, 501, 503])
def test_an_aborted_request_is_a_problem_with_the_id_of_the_request(app: Flask, status: int) -> None:
    problem, answer = _problem(app, f"/aborts/{status}")
    assert answer.status_code == status
    assert problem["title"]
    assert problem["type"] == "about:blank"


def test_a_path_without_a_route_is_a_problem(app: Flask) -> None:
    problem, answer = _problem(app, "/nothing")
    assert (answer.status_code, problem["title"]) == (404, "Not Found")


def test_a_method_that_is_not_allowed_says_which_are(app: Flask) -> None:
    _, answer = _problem(app, "/only-post")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


@pytest.mark.parametrize(("path", "status", "seconds"), [("/busy", 429, "7"), ("/down", 503, "60")])
def test_the_time_to_try_again_is_kept(app: Flask, path: str, status: int, seconds: str) -> None:
    _, answer = _problem(app, path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, seconds)


def test_an_unexpected_exception_is_not_told_to_the_caller(app: Flask) -> None:
    problem, answer = _problem(app, "/fails")
    assert answer.status_code == 500
    assert set(problem) == {"type", "title", "status", "request_id"}
    assert "hunter2" not in answer.text + str(answer.headers)
    assert "RuntimeError" not in answer.text


def test_an_unexpected_exception_is_logged_once_with_its_stack(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = _made().test_client().get("/fails", buffered=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if "error.stack" in line]
    assert (line["level"], line["error.type"], line["error.message"]) == ("ERROR", "RuntimeError", SECRET)
    assert "in fails" in line["error.stack"]
    assert line["request_id"] == answer.headers["X-Request-Id"]


def test_an_unexpected_exception_is_kept_for_the_observers(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    spans: list[Span] = []

    class Keeper:
        def finished(self, ended: Sequence[Span]) -> None:
            spans.extend(ended)

    monkeypatch.setattr(requests, "REPORTER", Reporter((Keeper(),)))
    for path in ("/fails", "/taken"):
        app.test_client().get(path, buffered=True)
    assert [(type(span.error), span.outcome) for span in spans] == [(RuntimeError, "500"), (type(None), "409")]


def test_an_expected_problem_is_not_logged_as_an_error(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    app.test_client().get("/taken")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_problem_has_its_detail_and_its_own_members(app: Flask) -> None:
    problem, _ = _problem(app, "/taken")
    assert problem["title"] == "Conflict"
    assert (problem["detail"], problem["name"], problem["tries"]) == ("this name is taken", "ana", [1, 2])


def test_a_status_that_nobody_knows_still_has_a_title(app: Flask) -> None:
    problem, answer = _problem(app, "/strange")
    assert (answer.status_code, problem["title"]) == (599, "Error")


def test_an_answer_that_the_view_made_itself_is_left_alone(app: Flask) -> None:
    answer = app.test_client().get("/own")
    assert (answer.status_code, answer.text, answer.headers["X-Own"]) == (418, "my own words", "1")
    assert answer.headers["X-Request-Id"]


def test_a_redirect_is_no_problem(app: Flask) -> None:
    answer = app.test_client().get("/folder")
    assert answer.status_code == 308
    assert "problem" not in answer.headers["Content-Type"]


def test_a_head_request_gets_the_status_without_a_body(app: Flask) -> None:
    answer = app.test_client().head("/taken")
    assert (answer.status_code, answer.data) == (409, b"")

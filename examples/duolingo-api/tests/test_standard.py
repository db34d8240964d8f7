"""Template-owned: what every service of this kind promises."""

import pytest

from duolingo_api.app import app


@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/info", "/healthz/dependencies", "/openapi.json"])
def test_answers(path: str) -> None:
    assert app.test_client().get(path).status_code == 200


def test_is_not_ready_before_it_serves() -> None:
    assert app.test_client().get("/healthz/ready").status_code == 503


def test_errors_are_problem_json() -> None:
    answer = app.test_client().get("/no-such-path")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["request_id"] == answer.headers["X-Request-Id"]

"""Template-owned: what every service of this kind promises."""

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/info", "/healthz/dependencies", "/openapi.json"])
def test_answers(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_is_not_ready_before_it_serves(client: FlaskClient) -> None:
    assert client.get("/healthz/ready").status_code == 503


def test_errors_are_problem_json(client: FlaskClient) -> None:
    answer = client.get("/no-such-path")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["request_id"] == answer.headers["X-Request-Id"]

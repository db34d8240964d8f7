"""The routes of duolingo-api."""

from flask.testing import FlaskClient


def test_greets(client: FlaskClient) -> None:
    answer = client.post("/greetings", json={"name": "Ana"})
    assert answer.status_code == 201
    assert answer.get_json()["text"] == "Hello, Ana!"


def test_refuses_an_empty_name(client: FlaskClient) -> None:
    answer = client.post("/greetings", json={"name": ""})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/name"


def test_counts_greetings(client: FlaskClient, captured_metrics: list[str]) -> None:
    client.post("/greetings", json={"name": "Ana"})
    assert "test.greetings:1|c" in captured_metrics

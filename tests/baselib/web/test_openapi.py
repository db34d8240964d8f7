"""Checked bodies, and the document that describes them."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field

from baselib.service import Service
from baselib.web import Problem, create_app, validate
from tests.baselib.processes import IDENTITY

TOKEN = "a-token-that-nobody-guesses"
PUBLIC = {"REMOTE_ADDR": "8.8.8.8"}


class Greeting(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=10)
    times: int = 1


class Greeted(BaseModel):
    text: str


class Page(BaseModel):
    number: int = Field(ge=1)


class Wishes(BaseModel):
    language: str = "en"


def _routes(app: Flask, service: Service) -> None:
    @app.post("/greetings")
    @validate(body=Greeting, answers={201: Greeted})
    def greet(json: Greeting) -> ResponseReturnValue:
        if json.name == "taken":
            raise Problem(409, "taken")
        return {"text": f"{json.name} " * json.times}, 201

    @app.get("/pages/<kind>")
    @validate(query=Page)
    def page(kind: str, query: Page) -> ResponseReturnValue:
        return {"kind": kind, "number": query.number}

    @app.post("/pages")
    @validate(query=Page, body=Wishes)
    def pages(query: Page, json: Wishes) -> Response:
        return Response(f"{query.number} {json.language}")

    @app.put("/wishes")
    @validate(body=Wishes)
    def wishes(json: Wishes) -> ResponseReturnValue:
        return {"language": json.language}

    @app.get("/not-described")
    def not_described() -> str:
        return "plain"


def _app(name: str = "api", **environ: str) -> Flask:
    return create_app(__name__, routes=_routes, environ={**IDENTITY, "SERVICE_NAME": name, **environ})


@pytest.fixture
def client() -> FlaskClient:
    return _app().test_client()


def test_a_view_with_types_of_flask_gets_its_checked_body(client: FlaskClient) -> None:
    answer = client.post("/greetings", json={"name": "Ana", "times": 2})
    assert (answer.status_code, answer.json) == (201, {"text": "Ana Ana "})


def test_a_view_gets_its_checked_query_beside_the_parts_of_its_path(client: FlaskClient) -> None:
    assert client.get("/pages/blue?number=3").json == {"kind": "blue", "number": 3}


def test_a_view_gets_query_and_body_and_may_answer_with_a_response(client: FlaskClient) -> None:
    assert client.post("/pages?number=2", json={"language": "hu"}).text == "2 hu"


def test_a_problem_of_a_checked_view_is_answered_as_such(client: FlaskClient) -> None:
    assert client.post("/greetings", json={"name": "taken"}).status_code == 409


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "Ana", "times": "many"}, "/times"),
        ({"name": "Ana", "admin": True}, "/admin"),
        ({"name": None}, "/name"),
        ({"name": "x" * 11}, "/name"),
    ],
)
def test_a_body_of_another_form_is_refused_with_the_place(
    client: FlaskClient, body: dict[str, Any], pointer: str
) -> None:
    answer = client.post("/greetings", json=body)
    problem: Any = answer.json
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert problem["request_id"] == answer.headers["X-Request-Id"]


def test_a_refusal_does_not_repeat_what_was_sent(client: FlaskClient) -> None:
    assert "hunter2" not in client.post("/greetings", json={"name": "hunter2" * 10}).text


@pytest.mark.parametrize("path", ["/greetings", "/wishes"])
@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"name": "Ana"', b"\xff\xfe", b"'"])
def test_a_body_that_is_no_json_is_refused(client: FlaskClient, path: str, body: bytes) -> None:
    # Also where every field of the model has a default: what was sent is not what the caller meant.
    answer = client.open(
        path, method="POST" if path == "/greetings" else "PUT", data=body, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/greetings", "/wishes"])
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_a_body_of_another_content_type_is_refused(client: FlaskClient, path: str, content_type: str) -> None:
    answer = client.open(
        path,
        method="POST" if path == "/greetings" else "PUT",
        data=b'{"name": "Ana", "language": "hu"}',
        content_type=content_type,
    )
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"[]", b"null", b"false", b"0", b'""', b'["a"]'])
def test_json_that_is_no_object_has_the_wrong_form(client: FlaskClient, body: bytes) -> None:
    answer = client.put("/wishes", data=body, content_type="application/json")
    assert answer.status_code == 422


def test_a_wrong_query_is_named_also_where_the_body_is_optional(client: FlaskClient) -> None:
    assert client.get("/pages/blue?number=0").status_code == 422
    answer = client.post("/pages?number=0", json={})
    problem: Any = answer.json
    assert answer.status_code == 422
    assert [error["pointer"] for error in problem["errors"]] == ["/number"]


def test_a_name_that_comes_again_in_the_query_is_a_list(client: FlaskClient) -> None:
    assert client.get("/pages/blue?number=1&number=2").status_code == 422


def _document(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json is not None
    document: dict[str, Any] = answer.json
    return document


def test_the_document_lists_the_described_routes_with_their_models() -> None:
    document = _document(_app(SERVICE_RELEASE="abc123"))
    assert document["info"]["title"] == "duolingo-api"
    assert document["info"]["version"] == "abc123"
    operation = document["paths"]["/greetings"]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    assert schema["required"] == ["name"]
    assert "201" in operation["responses"]
    (parameter,) = [each for each in document["paths"]["/pages/{kind}"]["get"]["parameters"] if each["in"] == "query"]
    assert parameter["name"] == "number"


def test_each_application_of_a_process_has_its_own_document() -> None:
    def other(app: Flask, service: Service) -> None:
        @app.get("/other")
        @validate(answers={200: Greeted})
        def answer() -> ResponseReturnValue:
            return {"text": "other"}

    first = _app("one")
    before = _document(first)
    second = create_app(__name__, routes=other, environ={**IDENTITY, "SERVICE_NAME": "two"})
    assert _document(second)["info"]["title"] == "duolingo-two"
    assert set(_document(second)["paths"]) == {"/other"}
    assert _document(first) == before


def test_the_document_of_an_application_that_was_not_the_last_is_its_own() -> None:
    # The same, but nobody asked for the first document before the second application was made.
    first = _app("one")
    create_app(__name__, environ={**IDENTITY, "SERVICE_NAME": "two"})
    document = _document(first)
    assert document["info"]["title"] == "duolingo-one"
    assert "/greetings" in document["paths"]


@pytest.mark.parametrize(
    "path",
    [
        "/openapi.json",
        "//openapi.json",
        "///openapi.json",
        "/openapi.json/",
        "/./openapi.json",
        "/x/../openapi.json",
        "/%6fpenapi.json",
        "/openapi.json\x00",
        "/openapi.json;x",
        "/OPENAPI.JSON",
        "/apidoc/openapi.json",
        "openapi.json",
    ],
)
@pytest.mark.parametrize(
    "trick",
    [
        {},
        {"X-Forwarded-For": "10.0.0.1"},
        {"X-Forwarded-For": "8.8.8.8, 10.0.0.1"},
        {"Forwarded": "for=10.0.0.1"},
        {"X-Real-IP": "10.0.0.1"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer None"},
    ],
)
def test_a_public_caller_does_not_get_the_document(client: FlaskClient, path: str, trick: dict[str, str]) -> None:
    # The path as it is after the server has decoded it; the client would take `//` for the beginning of a host.
    answer = client.get("/", headers=trick, environ_overrides={**PUBLIC, "PATH_INFO": path})
    if answer.status_code == 308:
        moved = urlsplit(answer.headers["Location"]).path
        answer = client.get(moved, headers=trick, environ_overrides=PUBLIC)
    assert answer.status_code == 404
    assert "greetings" not in answer.text


def test_a_caller_behind_a_load_balancer_is_public_whatever_it_claims(client: FlaskClient) -> None:
    for headers in ({"X-Forwarded-For": "10.0.0.1, 8.8.8.8"}, {"Forwarded": "for=10.0.0.1"}):
        assert (
            client.get("/openapi.json", headers=headers, environ_overrides={"REMOTE_ADDR": "10.0.0.9"}).status_code
            == 404
        )
    assert client.get("/openapi.json", environ_overrides={"REMOTE_ADDR": "10.0.0.9"}).status_code == 200


def test_a_public_caller_with_the_token_gets_the_document() -> None:
    client = _app(HEALTH_TOKEN=TOKEN).test_client()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/openapi.json", headers=headers, environ_overrides=PUBLIC).status_code == 200
    headers = {"Authorization": f"Bearer {TOKEN}x"}
    assert client.get("/openapi.json", headers=headers, environ_overrides=PUBLIC).status_code == 404

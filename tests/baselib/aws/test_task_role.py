"""The credentials endpoint: this task's own, and nothing of its answer but valid keys."""

import time
from pathlib import Path

import pytest

from baselib.aws.task_role import CredentialPolicyError, Keys, KeysUnavailableError, endpoint, fetch_keys
from tests.baselib.aws.stub import Answer, Stub, keys

RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, None),
        ({RELATIVE: "", FULL: ""}, None),
        ({RELATIVE: "/v2/credentials/1"}, "http://169.254.170.2/v2/credentials/1"),
        ({RELATIVE: "/v2/1", FULL: "http://127.0.0.1/2"}, "http://169.254.170.2/v2/1"),
        ({FULL: "http://127.0.0.1:81/2"}, "http://127.0.0.1:81/2"),
        ({FULL: "http://localhost:81/2"}, "http://localhost:81/2"),
        ({FULL: "http://[::1]:81/2"}, "http://[::1]:81/2"),
        ({FULL: "http://169.254.170.23/v1/credentials"}, "http://169.254.170.23/v1/credentials"),
    ],
)
def test_where_the_keys_are_asked_for(environ: dict[str, str], url: str | None) -> None:
    assert endpoint(environ) == url


@pytest.mark.parametrize(
    "full",
    [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/instance",
        "https://keys.example.com/",
        "http://127.0.0.1@keys.example.com/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1:80\\@keys.example.com/",
        "http://[::1/",
        "http://",
        "file:///etc/keys",
        "//127.0.0.1/",
        "nonsense",
    ],
)
def test_another_host_is_refused(full: str) -> None:
    with pytest.raises(CredentialPolicyError, match=FULL):
        endpoint({FULL: full})


@pytest.mark.parametrize("relative", ["@keys.example.com/", ".example.com/", ":81/", "v2/credentials"])
def test_a_path_that_would_change_the_host_is_refused(relative: str) -> None:
    with pytest.raises(CredentialPolicyError, match=RELATIVE):
        endpoint({RELATIVE: relative})


def test_keys(stub: Stub) -> None:
    expires = float(int(time.time()) + 3600)
    stub.answer = lambda request: keys(1, expires)
    found = fetch_keys(stub.url, {})
    assert found == Keys("AKIA1", "secret-1", "token-1", expires)
    assert "secret-1" not in repr(found)
    assert "token-1" not in repr(found)
    assert "Authorization" not in stub.requests[0].headers


def test_the_token_for_the_endpoint_is_read_each_time(stub: Stub, tmp_path: Path) -> None:
    stub.answer = lambda request: keys(1, time.time() + 3600)
    fetch_keys(stub.url, {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "one"})
    file = tmp_path / "token"
    environ = {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file), "AWS_CONTAINER_AUTHORIZATION_TOKEN": "one"}
    for token in ("two", "three"):
        file.write_text(token)
        fetch_keys(stub.url, environ)
    assert [request.headers["Authorization"] for request in stub.requests] == ["one", "two", "three"]


def test_a_token_cannot_forge_a_header(stub: Stub) -> None:
    with pytest.raises(KeysUnavailableError, match="line break"):
        fetch_keys(stub.url, {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "one\r\nX-Forged: 1"})
    assert stub.requests == []


HIDDEN = "hunter2"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, f'{{"SecretAccessKey": "{HIDDEN}"}}'.encode()),
        Answer(302, b"", {"Location": "http://169.254.169.254/"}),
        Answer(200, b""),
        Answer(200, f"<html>{HIDDEN}".encode()),
        Answer(200, b"\xff\xfe" + HIDDEN.encode()),
        Answer(200, f'["{HIDDEN}"]'.encode()),
        Answer(200, f'"{HIDDEN}"'.encode()),
        Answer(200, b"null"),
        Answer(200, f'{{"AccessKeyId": "A", "SecretAccessKey": "{HIDDEN}", "Token": "t"}}'.encode()),
        Answer(200, f'{{"AccessKeyId": "A", "SecretAccessKey": "{HIDDEN}", "Token": "t", "Expiration": 5}}'.encode()),
        Answer(
            200, f'{{"AccessKeyId": "A", "SecretAccessKey": "{HIDDEN}", "Token": "t", "Expiration": "soon"}}'.encode()
        ),
        Answer(
            200,
            b'{"AccessKeyId": "A", "SecretAccessKey": "", "Token": "t", "Expiration": "2030-01-01T00:00:00Z"}',
        ),
        Answer(
            200,
            b'{"AccessKeyId": "A", "SecretAccessKey": null, "Token": "t", "Expiration": "2030-01-01T00:00:00Z"}',
        ),
        Answer(cut=True, body=b'{"AccessKeyId": "A"' * 10),
        Answer(200, b'{"AccessKeyId": "' + b"A" * 100_000 + b'"}'),
    ],
)
def test_garbage_is_refused_and_not_quoted(stub: Stub, answer: Answer) -> None:
    stub.answer = lambda request: answer
    with pytest.raises(KeysUnavailableError) as refusal:
        fetch_keys(stub.url, {})
    assert HIDDEN not in str(refusal.value)
    assert len(stub.requests) == 1
    assert refusal.value.__cause__ is None or HIDDEN not in str(refusal.value.__cause__)


def test_an_endpoint_that_hangs_is_given_up(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baselib.aws.task_role._READ_SECONDS", 0.1)
    stub.answer = lambda request: Answer(hang=True)
    with pytest.raises(KeysUnavailableError, match="cannot be asked: ReadTimeoutError"):
        fetch_keys(stub.url, {})


def test_nobody_there() -> None:
    with pytest.raises(KeysUnavailableError, match="cannot be asked"):
        fetch_keys("http://127.0.0.1:9/", {})


def test_a_proxy_of_the_environment_never_sees_the_keys(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    stub.answer = lambda request: keys(1, time.time() + 3600)
    assert fetch_keys(stub.url, {}).access_key == "AKIA1"

"""User and password from AWS: a new token for each connection, a secret that is read again when it is refused."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from baselib import aws
from baselib.data_stores.postgres_credentials import IamToken, RotatedSecret, credentials
from baselib.testing.embedded_aws import EmbeddedAws
from tests.baselib.data_stores.conftest import settings_of

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!cluster-1-AbCdEf"
HOST = "main.cluster-abc.eu-west-1.rds.amazonaws.com"


@pytest.fixture
def _keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-so-secret")
    aws.configure_aws(settings_of(aws_region="eu-west-1"))
    yield
    aws.reset()


@pytest.mark.usefixtures("_keys")
def test_a_token_is_signed_for_this_host_port_and_user() -> None:
    made = IamToken(HOST, 5432, "app").parameters()
    assert made["user"] == "app"
    parts = urlsplit(f"https://{made['password']}")
    query = parse_qs(parts.query)
    assert (parts.hostname, parts.port) == (HOST, 5432)
    assert query["DBUser"] == ["app"]
    assert query["Action"] == ["connect"]
    assert query["X-Amz-Expires"] == ["900"]
    assert "/eu-west-1/rds-db/" in query["X-Amz-Credential"][0]
    assert "not-so-secret" not in made["password"]


def test_where_they_come_from_follows_the_setting() -> None:
    assert credentials(settings_of(), HOST, 5432, "app") is None
    assert isinstance(credentials(settings_of(database_credentials="iam"), HOST, 5432, "app"), IamToken)
    assert isinstance(credentials(settings_of(database_credentials=ARN), HOST, 5432, None), RotatedSecret)


class _Secret:
    """A secret whose readings are counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.json: object = {"username": "app", "password": "first"}
        self.refreshed = 0
        self.rotated: object = self.json
        monkeypatch.setattr(aws, "secret", self._secret)

    def _secret(self, arn: str, *, region: str) -> "_Secret":
        assert (arn, region) == (ARN, "eu-west-1")
        return self

    def refresh(self) -> None:
        self.refreshed += 1
        self.json = self.rotated


def test_a_secret_is_read_again_when_it_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = _Secret(monkeypatch)
    source = RotatedSecret(ARN)
    first = source.parameters()
    assert first == {"user": "app", "password": "first"}
    secret.rotated = {"username": "app", "password": "second"}
    assert source.after_refusal(first) == {"user": "app", "password": "second"}
    assert secret.refreshed == 1
    # Another thread has done so in the meantime.
    assert source.after_refusal(first) == {"user": "app", "password": "second"}
    assert secret.refreshed == 1


def test_a_token_that_was_refused_is_not_tried_again() -> None:
    assert IamToken(HOST, 5432, "app").after_refusal({"password": "x"}) == {"password": "x"}


@pytest.mark.parametrize("document", [[], "hunter2", {"username": "app", "secret": "hunter2"}, None])
def test_a_secret_of_another_form_is_told_without_what_it_says(
    document: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = _Secret(monkeypatch)
    secret.json = document
    with pytest.raises(ValueError, match="has no username and password") as error:
        RotatedSecret(ARN).parameters()
    assert "hunter2" not in str(error.value)
    assert error.value.__suppress_context__


def test_the_form_that_rds_gives_a_secret_is_read_from_its_own_region() -> None:
    with EmbeddedAws() as embedded, pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment.items():
            patch.setenv(name, value)
        aws.configure_aws(settings_of(aws_region="us-east-1", aws_endpoint_url=embedded.url))
        client = aws.client("secretsmanager", region="eu-west-1")
        arn = client.create_secret(
            Name="rds", SecretString=json.dumps({"username": "app", "password": "a%b@c/d", "engine": "postgres"})
        )["ARN"]
        assert RotatedSecret(arn).parameters() == {"user": "app", "password": "a%b@c/d"}
    aws.reset()

"""Credentials: on ECS the task role or nobody, and the instance's role nowhere."""

from pathlib import Path

import botocore.session
import pytest

from baselib import aws
from baselib.aws import CredentialPolicyError
from baselib.aws.credentials import restrict_credentials

ON_ECS = {"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/1"}
ROLE = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"}


def _providers(environ: dict[str, str]) -> list[str]:
    session = botocore.session.get_session()
    restrict_credentials(session, environ)
    return [provider.METHOD for provider in session.get_component("credential_provider").providers]


@pytest.mark.parametrize("environ", [ROLE, {**ON_ECS, **ROLE}])
def test_on_ecs_only_the_task_role_remains(environ: dict[str, str]) -> None:
    assert _providers(environ) == ["container-role"]


def test_a_developer_keeps_keys_and_profiles_but_never_the_instances_role() -> None:
    providers = _providers({})
    assert "iam-role" not in providers
    assert {"env", "shared-credentials-file", "sso", "container-role"} <= set(providers)


def test_the_instances_role_is_there_before_so_that_these_tests_can_fail() -> None:
    resolver = botocore.session.get_session().get_component("credential_provider")
    assert "iam-role" in [provider.METHOD for provider in resolver.providers]


@pytest.mark.parametrize("key", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_static_keys_are_refused_on_ecs_by_name_and_not_by_value(key: str) -> None:
    with pytest.raises(CredentialPolicyError) as refusal:
        _providers({**ON_ECS, **ROLE, key: "hunter2"})
    assert key in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert "task role" in str(refusal.value)


def test_a_task_without_a_role_is_refused() -> None:
    with pytest.raises(CredentialPolicyError, match="this ECS task has no task role: set task_role_arn"):
        _providers(ON_ECS)


def test_a_client_of_a_task_without_a_role_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(*next(iter(ON_ECS.items())))
    for _ in range(2):
        with pytest.raises(CredentialPolicyError):
            aws.client("s3", region="us-east-1")


def test_a_developers_file_does_not_get_past_the_task_role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = key\naws_secret_access_key = secret\n")
    environ = {**ON_ECS, **ROLE, "AWS_PROFILE": "default", "AWS_SHARED_CREDENTIALS_FILE": str(file)}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert _providers(environ) == ["container-role"]

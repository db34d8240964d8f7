"""Credentials: on ECS the task role or nobody, and the instance's role nowhere."""

from pathlib import Path

import botocore.session
import pytest

from baselib import aws
from baselib.aws import CredentialPolicyError
from baselib.aws.credentials import restrict_credentials
from baselib.aws.refreshing import TaskRoleCredentials

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


@pytest.mark.parametrize(
    "key",
    [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
    ],
)
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


@pytest.mark.parametrize(
    "more",
    [
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "TOKEN", "AWS_ROLE_ARN": "arn:aws:iam::1:role/other"},
        {"AWS_CONFIG_FILE": "PROCESS", "AWS_PROFILE": "process"},
        {"AWS_CONFIG_FILE": "PROCESS"},
        {"BOTO_CONFIG": "BOTO"},
        {"AWS_CREDENTIAL_FILE": "ORIGINAL"},
        {"AWS_EC2_METADATA_DISABLED": "false"},
    ],
    ids=str,
)
def test_no_other_source_gets_past_the_task_role(
    more: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    process = "credential_process = /bin/echo {}\n"
    files = {
        "TOKEN": "token",
        "PROCESS": f"[default]\n{process}[profile process]\n{process}",
        "BOTO": "[Credentials]\naws_access_key_id = key\naws_secret_access_key = secret\n",
        "ORIGINAL": "AWSAccessKeyId=key\nAWSSecretKey=secret\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    environ = {**ON_ECS, **ROLE, **{name: str(tmp_path / v) if v in files else v for name, v in more.items()}}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(TaskRoleCredentials, "_refresh", lambda self: None)
    session = botocore.session.get_session()
    restrict_credentials(session, environ)
    found = session.get_credentials()
    assert isinstance(found, TaskRoleCredentials)
    assert session.create_client("sqs", region_name="us-east-1")._request_signer._credentials is found


def test_a_service_can_look_for_static_keys_at_its_start() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "hunter2", "AWS_SECRET_ACCESS_KEY": ""}
    aws.refuse_static_keys(keys)
    aws.refuse_static_keys(ON_ECS)
    with pytest.raises(CredentialPolicyError, match=r"^AWS_ACCESS_KEY_ID set in an ECS task"):
        aws.refuse_static_keys({**ON_ECS, **keys})


def test_an_endpoint_on_another_machine_is_refused() -> None:
    with pytest.raises(CredentialPolicyError, match="AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        _providers({**ON_ECS, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://keys.example.com/"})


def test_off_ecs_a_container_endpoint_is_asked_in_the_background_too() -> None:
    session = botocore.session.get_session()
    restrict_credentials(session, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/"})
    providers = session.get_component("credential_provider").providers
    (container,) = [provider for provider in providers if provider.METHOD == "container-role"]
    assert isinstance(container.load(), TaskRoleCredentials)

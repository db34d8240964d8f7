"""Where an environment is, from the files of a service's repository."""

from pathlib import Path

import pytest

from baselib.cli import main
from baselib.contract import ConfigurationError
from baselib.release.place import Place

BACKEND = """
# A comment with "quotes".
bucket = "platform-terraform-prod-123456789012-eu-west-1"
key    = "duolingo-api/prod.tfstate"
region = "eu-west-1"
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The files of a service that say where it is."""
    (tmp_path / "terraform/environments").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "duolingo-api"\n', encoding="utf-8")
    (tmp_path / "terraform/environments/prod.s3.tfbackend").write_text(BACKEND, encoding="utf-8")
    return tmp_path


def test_finds_account_region_state_and_roles(service: Path) -> None:
    place = Place.find(service, "prod")
    assert (place.account_id, place.region) == ("123456789012", "eu-west-1")
    assert (place.bucket, place.key) == (
        "platform-terraform-prod-123456789012-eu-west-1",
        "duolingo-api/prod.tfstate",
    )
    assert place.ecr_repository == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/duolingo-api"
    assert place.role("apply_role") == "arn:aws:iam::123456789012:role/duolingo-api-prod-apply"
    assert place.state_machine == "arn:aws:states:eu-west-1:123456789012:stateMachine:duolingo-api-prod"
    assert place.role("push_role") == "arn:aws:iam::123456789012:role/duolingo-api-push"


def test_sees_whether_there_are_migrations(service: Path) -> None:
    folder = service / "src/duolingo_api/migrations"
    folder.mkdir(parents=True)
    (folder / "README.md").touch()
    assert not Place.find(service, "prod").migrations
    (folder / "r1_orders.py").touch()
    assert Place.find(service, "prod").migrations


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("123456789012", "ACCOUNT_ID", "twelve digits"),
        ("-123456789012", "", "twelve digits"),
        ("key ", "keys ", "does not say key"),
        ('"eu-west-1"\n', '""\n', "does not say region"),
    ],
)
def test_says_what_the_file_lacks(service: Path, old: str, new: str, told: str) -> None:
    file = service / "terraform/environments/prod.s3.tfbackend"
    file.write_text(BACKEND.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Place.find(service, "prod")
    assert "terraform/environments/prod.s3.tfbackend" in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(("environment", "told"), [("staging", "known: prod"), ("../prod", "is no environment")])
def test_an_unknown_environment_is_a_configuration_error(
    service: Path,
    environment: str,
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(service)
    assert main(["delivery", environment]) == 78
    assert told in capsys.readouterr().err


def test_outside_of_a_repository_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no service's repository"):
        Place.find(tmp_path, "prod")


def test_a_pipeline_is_told_what_it_takes_on(
    service: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(service)
    assert main(["delivery", "prod"]) == 0
    told = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert told == {
        "account_id": "123456789012",
        "region": "eu-west-1",
        "repository": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/duolingo-api",
        "push_role": "arn:aws:iam::123456789012:role/duolingo-api-push",
        "plan_role": "arn:aws:iam::123456789012:role/duolingo-api-prod-plan",
        "apply_role": "arn:aws:iam::123456789012:role/duolingo-api-prod-apply",
    }


@pytest.mark.parametrize("version", ["latest", "", "a b", "sha256:abc", "-x"])
def test_only_what_never_changes_is_a_version(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["release", "prod", "--", version])
    assert caught.value.code == 2
    assert "no version" in capsys.readouterr().err


def test_nobody_to_ask_is_a_configuration_error(
    service: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = service / "bin/terraform"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent))
    monkeypatch.chdir(service)
    assert main(["release", "prod", "1.4.2"]) == 78
    assert "--yes" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(service))
    assert main(["release", "prod", "1.4.2", "--yes"]) == 78
    assert "terraform is not on the PATH" in capsys.readouterr().err

"""Checkov finds nothing in the modules, the examples and the generated services that is not explained."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.e2e

REPOSITORY = Path(__file__).resolve().parents[2]
# It pins much of what it needs, so it has an environment of its own.
CHECKOV = "checkov==3.3.30"
SECONDS = 600
EXPLAINED: list[dict[str, Any]] = yaml.safe_load((REPOSITORY / "terraform/testing/checkov.yaml").read_text())

Finding = tuple[str, str]


@pytest.fixture(scope="module")
def checkov() -> list[str]:
    """The command that runs Checkov."""
    if found := shutil.which("checkov"):
        return [found]
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("neither checkov nor uv, which would install it, is on the PATH")
    for offline in (["--offline"], []):
        command = [uv, "tool", "run", *offline, "--from", CHECKOV, "checkov"]
        tried = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=SECONDS, check=False)
        if tried.returncode == 0:
            return command
    pytest.skip(f"{CHECKOV} cannot be had: {tried.stderr.strip()[-300:]}")


def scan(command: list[str], folder: Path) -> dict[str, Any]:
    """What Checkov says of a folder."""
    options = ["--framework", "terraform", "--skip-download", "--compact", "--output", "json"]
    result = subprocess.run(
        [*command, "--directory", str(folder), *options], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert result.returncode in {0, 1}, result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def findings(report: dict[str, Any]) -> set[Finding]:
    """Each failed check with the resource in its module."""
    found = set()
    for check in report["results"]["failed_checks"]:
        # In a module that another calls, the address has the whole way to it.
        address = re.sub(r"\[[^\]]*\]", "", ".".join(check["resource"].split(".")[-2:]))
        found.add((check["check_id"], f"{Path(check['file_path']).parent.name}/{address}"))
    return found


@pytest.fixture(scope="module")
def report(checkov: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Checkov says of a copy of all the Terraform, where generated services call the modules beside them."""
    copy = tmp_path_factory.mktemp("checkov")
    shutil.copytree(
        REPOSITORY / "terraform", copy / "terraform", ignore=shutil.ignore_patterns(".terraform*", "tests", "testing")
    )
    for service in sorted((REPOSITORY / "examples").glob("*/terraform")):
        target = copy / "services" / service.parent.name
        target.mkdir(parents=True)
        for path in service.glob("*.tf"):
            modules = r'\1"../../terraform/modules/\2"'
            source = r'(source += )"git::[^"]*//terraform/modules/(\w+)\?ref=[^"]*"'
            (target / path.name).write_text(re.sub(source, modules, path.read_text(encoding="utf-8")), encoding="utf-8")
    return scan(checkov, copy)


def test_every_finding_is_explained_and_every_explanation_needed(report: dict[str, Any]) -> None:
    explained = {(entry["check"], resource) for entry in EXPLAINED for resource in entry["resources"]}
    found = findings(report)
    assert found - explained == set(), "explain these in terraform/testing/checkov.yaml, or mend them"
    assert explained - found == set(), "nothing is found for these any more"


def test_every_explanation_is_a_sentence() -> None:
    for entry in EXPLAINED:
        assert set(entry) == {"check", "resources", "reason"}
        assert re.fullmatch(r"[A-Z].{15,}\.", entry["reason"], re.DOTALL), entry["check"]
    assert len({entry["check"] for entry in EXPLAINED}) == len(EXPLAINED)


def test_what_checkov_cannot_read_has_no_resources(report: dict[str, Any]) -> None:
    unread = [Path(path) for path in report["results"].get("parsing_errors", [])]
    assert [path for path in unread if re.search(r"^(?:resource|data|module) ", path.read_text(), re.MULTILINE)] == []


def test_generated_services_are_looked_into(report: dict[str, Any]) -> None:
    passed = report["results"]["passed_checks"]
    seen = {
        (Path(check["file_path"]).parent.name, check["resource"].split(".")[1])
        for check in passed
        if check["resource"].startswith("module.")
    }
    assert {("ecs_task", "duolingo-api"), ("ecs_task", "duolingo-mailer"), ("cron_run", "duolingo-report")} <= seen


def test_a_public_bucket_is_found(checkov: list[str], tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        'resource "aws_s3_bucket" "this" {\n  bucket = "open"\n}\n'
        'resource "aws_s3_bucket_acl" "this" {\n  bucket = aws_s3_bucket.this.id\n  acl    = "public-read"\n}\n'
    )
    assert "CKV_AWS_20" in {check for check, _ in findings(scan(checkov, tmp_path))}

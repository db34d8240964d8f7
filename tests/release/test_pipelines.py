"""The pipelines of a service: valid, pinned, and with no more rights than a job needs. None of them has ever run."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

from tests.template.conftest import ANSWERS

ENVIRONMENTS = ["staging", "prod"]
# A command, such as `.venv/bin/baselib release`, and what it has to be called with here.
RELEASES = r'\.venv/bin/baselib release "(\w+)" "\$(?:GITHUB_SHA|GIT_COMMIT)" --yes'


def _render(platform: Path, folder: Path, ci: str) -> Path:
    answers = {**ANSWERS, "ci": ci, "environments": ENVIRONMENTS, "data_stores": ["postgres"]}
    copier.run_copy(str(platform), folder, data=answers, defaults=True, quiet=True, vcs_ref="HEAD")
    return folder


@pytest.fixture(scope="module")
def github(platform: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflows of a service."""
    return _render(platform, tmp_path_factory.mktemp("github") / "service", "github-actions") / ".github/workflows"


@pytest.fixture(scope="module")
def jenkins(platform: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service that Jenkins delivers."""
    return _render(platform, tmp_path_factory.mktemp("jenkins") / "service", "jenkins")


def _read(path: Path) -> dict[str, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1 takes `on` for true, as GitHub does not.
    return {"on" if key is True else key: value for key, value in document.items()}


def _steps(workflows: Path) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{path.name}: {name}", step)
        for path in sorted(workflows.glob("*.yaml"))
        for name, job in _read(path)["jobs"].items()
        for step in job["steps"]
    ]


def _shellcheck(script: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("shellcheck")), "--shell=bash", "--severity=style", "-"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}"


def test_they_are_what_github_accepts(github: Path) -> None:
    files = [str(path) for path in github.glob("*.yaml")]
    assert len(files) == 2
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_action_is_pinned_by_commit(github: Path) -> None:
    used = [
        line.strip(" -") for path in github.glob("*.yaml") for line in path.read_text().splitlines() if "uses:" in line
    ]
    assert used
    assert [
        line for line in used if not re.fullmatch(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    ] == []
    # One version of each in all of them.
    assert len(set(used)) == len({line.split("@")[0] for line in used})


def test_every_script_is_clean_and_takes_nothing_from_outside_as_code(github: Path) -> None:
    for where, step in _steps(github):
        if "run" in step:
            assert "${{" not in step["run"], f"{where}: an expression becomes code"
            _shellcheck(step["run"])


def test_every_job_ends_and_has_only_the_rights_it_needs(github: Path) -> None:
    for path in github.glob("*.yaml"):
        workflow = _read(path)
        for name, job in workflow["jobs"].items():
            assert job["timeout-minutes"] <= 60
            rights = job.get("permissions", workflow["permissions"])
            assert rights["contents"] == "read"
            takes_on = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
            assert (rights.get("id-token") == "write") == takes_on, name
            attests = any("attest" in step.get("uses", "") for step in job["steps"])
            assert (rights.get("attestations") == "write") == attests, name
            assert set(rights) <= {"contents", "id-token", "attestations"}
            for step in job["steps"]:
                if "actions/checkout" in step.get("uses", ""):
                    assert step["with"]["persist-credentials"] is False


def test_there_are_no_long_lived_keys(github: Path, jenkins: Path) -> None:
    text = "".join(path.read_text() for path in [*github.glob("*.yaml"), jenkins / "Jenkinsfile"])
    assert "secrets." not in text
    assert "credentials(" not in text
    assert "aws-access-key-id" not in text


def test_a_pull_request_plans_and_only_main_releases(github: Path) -> None:
    jobs = _read(github / "ci.yaml")["jobs"]
    for environment in ENVIRONMENTS:
        plan, release = jobs[f"plan-{environment}"], jobs[f"release-{environment}"]
        assert plan["if"].split(" && ") == [
            "github.event_name == 'pull_request'",
            "github.event.pull_request.head.repo.full_name == github.repository",
            "github.event.pull_request.user.login != 'dependabot[bot]'",
        ]
        # A job of the environment would be given the token that opens its apply role.
        assert "environment" not in plan
        assert release["environment"] == environment
        assert release["concurrency"] == {"group": f"release-{environment}", "cancel-in-progress": False}
        # `baselib release` refuses an older commit than the one that runs, where it can tell.
        checkout = next(step for step in release["steps"] if "actions/checkout" in step.get("uses", ""))
        assert checkout["with"]["fetch-depth"] == 0
        roles = [step["with"]["role-to-assume"] for step in [*plan["steps"], *release["steps"]] if "role" in str(step)]
        assert [role.split(".")[-1].split()[0] for role in roles] == ["plan_role", "apply_role"]
    assert jobs["image"]["if"] == "github.event_name == 'push'"
    assert jobs["image"]["needs"] == ["test", "terraform"]
    assert [jobs[f"release-{environment}"]["needs"] for environment in ENVIRONMENTS] == [["image"], ["release-staging"]]
    scripts = "\n".join(step["run"] for _, step in _steps(github) if "run" in step)
    assert re.findall(RELEASES, scripts) == ENVIRONMENTS


def test_one_image_is_built_for_all_environments(github: Path) -> None:
    jobs = _read(github / "ci.yaml")["jobs"]
    builds = {name for name, job in jobs.items() if "docker build" in str(job["steps"])}
    assert builds == {"build", "image"}
    assert str(jobs["image"]["steps"]).count("docker build") == 1
    assert jobs["build"]["if"] == "github.event_name == 'pull_request'"


def test_rolling_back_waits_for_releases(github: Path) -> None:
    workflow = _read(github / "rollback.yaml")
    assert workflow["on"]["workflow_dispatch"]["inputs"]["environment"]["options"] == ENVIRONMENTS
    job = workflow["jobs"]["roll-back"]
    assert job["concurrency"]["group"].startswith("release-")
    assert job["steps"][-1]["run"] == '.venv/bin/baselib rollback "$ENVIRONMENT" ${VERSION:+--to "$VERSION"} --yes'


def test_jenkins_does_the_same(jenkins: Path) -> None:
    text = (jenkins / "Jenkinsfile").read_text(encoding="utf-8")
    assert text.count("{") == text.count("}")
    assert re.findall(RELEASES, text) == ENVIRONMENTS
    for stage in (f"{verb} {environment}" for verb in ("Push to", "Release to") for environment in ENVIRONMENTS):
        assert f"stage('{stage}') {{\n      when {{ branch 'main' }}" in text
    for environment in ENVIRONMENTS:
        assert f"stage('Plan {environment}') {{\n      when {{ not {{ branch 'main' }} }}" in text
    for script in re.findall(r"sh '([^'\n]+)'", text):
        _shellcheck(script)
    # What the surrounding script exports to it.
    _shellcheck("region='' repository='' GIT_COMMIT=''\n" + re.findall(r"'push_role', '''(.*?)'''", text, re.DOTALL)[0])
    taking_on = re.findall(r"sh '''(.*?)'''", text, re.DOTALL)[0].replace("\\\\", "\\")
    _shellcheck("# shellcheck disable=SC2086,SC2154\n" + taking_on)


@pytest.mark.parametrize("ci", ["github", "jenkins"])
def test_atlantis_plans_with_the_image_that_runs(ci: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(ci)
    file = (folder.parents[1] if ci == "github" else folder) / "atlantis.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert document["version"] == 3
    assert [project["workflow"] for project in document["projects"]] == ENVIRONMENTS
    assert all("approved" in project["apply_requirements"] for project in document["projects"])
    for environment in ENVIRONMENTS:
        steps = document["workflows"][environment]["plan"]["steps"]
        variables = {step["env"]["name"]: step["env"] for step in steps if isinstance(step, dict) and "env" in step}
        assert variables["TF_VAR_service_version"]["command"] == f'cd .. && baselib running "{environment}"'
        init = next(step["init"] for step in steps if isinstance(step, dict) and "init" in step)
        assert f"-backend-config=environments/{environment}.s3.tfbackend" in init["extra_args"]
        assert (file.parent / f"terraform/environments/{environment}.s3.tfbackend").is_file()

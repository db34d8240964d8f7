"""`copier update` of a service that has lived: every edit is still there, nothing conflicts, standards have arrived."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

from tests.template.conftest import ANSWERS
from tests.template.test_ownership import is_seeded
from tools.template import ROOT, commit, copy, git

KINDS = ("web", "worker-daemon", "worker-cron")

EDITS: dict[str, dict[str, str]] = {
    "web": {
        "src/duolingo_api/routes.py": (
            '\n\n@greetings.get("/farewells")\ndef farewell() -> ResponseReturnValue:\n    return {"text": "Bye"}\n'
        )
    },
    "worker-daemon": {
        "src/duolingo_api/handlers.py": "\n\ndef send_farewell(message: Message[Welcome]) -> None:\n    pass\n"
    },
    "worker-cron": {"src/duolingo_api/task.py": '\n\ndef clean() -> None:\n    """Clean up."""\n'},
}
ADDED = {
    "src/duolingo_api/store.py": '"""Where lessons are kept."""\n',
    "terraform/lessons_bucket.tf": 'resource "aws_s3_bucket" "lessons" {\n  bucket = "duolingo-lessons"\n}\n',
    "docs/glossary.md": "# Glossary\n",
    "compose.override.yaml": "services:\n  service:\n    environment:\n      LOG_LEVEL: DEBUG\n",
}
SEEDED_TEST = {"web": "test_routes.py", "worker-daemon": "test_handlers.py", "worker-cron": "test_task.py"}


def live(service: Path, kind: str) -> dict[str, str]:
    """Edit a service as its team does, and return what the edited files hold."""
    for name, more in {
        **EDITS[kind],
        "README.md": "\n## History\n\nIt began as part of the monolith.\n",
        "requirements.txt": "httpx>=0.28\n",
        "docs/operations.md": "\nAsk Ana.\n",
    }.items():
        path = service / name
        path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    readme = service / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("## API", "## The API"), encoding="utf-8")
    sizes = service / "terraform" / "sizes.tf"
    sizes.write_text(sizes.read_text(encoding="utf-8").replace("512", "1024"), encoding="utf-8")
    for name, text in ADDED.items():
        (service / name).write_text(text, encoding="utf-8")
    (service / "tests" / SEEDED_TEST[kind]).unlink()
    commit(service, "Live")
    edited = ["README.md", "requirements.txt", "docs/operations.md", "terraform/sizes.tf", *EDITS[kind], *ADDED]
    return {name: (service / name).read_text(encoding="utf-8") for name in edited}


def start(platform: Path, service: Path, ref: str, **answers: Any) -> None:
    """Copy a service from some state of the template and commit it."""
    copy(service, {**ANSWERS, **answers}, source=platform, ref=ref)
    subprocess.run(["git", "init", "--quiet", str(service)], check=True)
    commit(service, "Start from the template")


def update(service: Path) -> None:
    """Run `copier update` as a user does."""
    command = [sys.executable, "-m", "copier", "update", "--defaults", "--vcs-ref", "HEAD"]
    done = subprocess.run(command, cwd=service, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def check_updated(platform: Path, service: Path, edits: dict[str, str], kind: str, fresh: Path) -> None:
    """What an update has to leave behind."""
    assert git(service, "ls-files", "--unmerged") == ""
    assert not list(service.rglob("*.rej"))
    for name, text in edits.items():
        assert (service / name).read_text(encoding="utf-8") == text, name
    assert not (service / "tests" / SEEDED_TEST[kind]).exists(), "a deleted file came back"
    answers = yaml.safe_load((service / ".copier-answers.yml").read_text(encoding="utf-8"))
    given = {name: value for name, value in answers.items() if not name.startswith("_")}
    copier.run_copy(str(platform), fresh, data=given, defaults=True, quiet=True, vcs_ref="HEAD")
    for file in (each for each in fresh.rglob("*") if each.is_file()):
        name = str(file.relative_to(fresh))
        if not is_seeded(name):
            assert (service / name).read_bytes() == file.read_bytes(), name
    commit(service, "Update from the template")
    update(service)
    assert git(service, "status", "--porcelain") == "", "a second update changed something"


def first_commit_with_the_template(platform: Path) -> str:
    """The earliest commit of this repository that a service can be copied from."""
    if git(platform, "rev-parse", "--is-shallow-repository") == "true":
        pytest.skip("this clone is shallow: there is no earlier commit to copy from")
    commits = git(platform, "log", "--reverse", "--format=%H", "--", "copier.yml").splitlines()
    if commits[0] == git(platform, "rev-parse", "HEAD"):
        pytest.skip("there is no earlier commit to copy from")
    return commits[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_service_copied_from_the_first_commit_and_edited(platform: Path, tmp_path: Path, kind: str) -> None:
    service = tmp_path / "service"
    start(platform, service, first_commit_with_the_template(platform), kind=kind, data_stores=["postgres"])
    edits = live(service, kind)
    update(service)
    check_updated(platform, service, edits, kind, tmp_path / "fresh")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_standard_arrives_and_a_new_seed_does_not_disturb(platform: Path, tmp_path: Path, kind: str) -> None:
    later = tmp_path / "platform"
    git(platform, "clone", "--quiet", str(platform), str(later))
    service = tmp_path / "service"
    start(later, service, "HEAD", kind=kind)
    edits = live(service, kind)
    template = later / "template"
    for owned in ("tox.ini.jinja", "Dockerfile.jinja", "pyproject.toml.jinja"):
        path = template / owned
        path.write_text(path.read_text(encoding="utf-8") + "# A new standard.\n", encoding="utf-8")
    for seeded in ("README.md.jinja", "requirements.txt.jinja", "terraform/sizes.tf.jinja"):
        path = template / seeded
        path.write_text("# Seeds of another kind.\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    (template / "docs" / "operations.md.jinja").unlink()
    (template / "docs" / "security.md").write_text("# Security\n", encoding="utf-8")
    commit(later, "Set a new standard")
    update(service)
    assert (service / "tox.ini").read_text(encoding="utf-8").endswith("# A new standard.\n")
    assert (service / "docs" / "security.md").exists()
    check_updated(later, service, edits, kind, tmp_path / "fresh")


@pytest.mark.slow
def test_an_answer_changed_by_an_update_reaches_the_owned_files(platform: Path, tmp_path: Path) -> None:
    service = tmp_path / "service"
    start(platform, service, "HEAD")
    edits = live(service, "web")
    copier.run_update(
        service,
        data={"data_stores": ["redis"], "hard_dependencies": ["duolingo-auth"]},
        defaults=True,
        overwrite=True,
        quiet=True,
        vcs_ref="HEAD",
    )
    assert "redis" in (service / "src" / "duolingo_api" / "app.py").read_text(encoding="utf-8")
    assert "DUOLINGO_AUTH_URL" in (service / "compose.yaml").read_text(encoding="utf-8")
    assert "DUOLINGO_AUTH_URL" in (service / "terraform" / "dependencies.tf").read_text(encoding="utf-8")
    check_updated(platform, service, edits, "web", tmp_path / "fresh")


def test_the_examples_are_what_the_template_renders(platform: Path, tmp_path: Path) -> None:
    from tools.examples import EXAMPLES, render  # noqa: PLC0415

    render(tmp_path, platform)
    for name in EXAMPLES:
        rendered = {
            str(file.relative_to(tmp_path)): file.read_text(encoding="utf-8")
            for file in (tmp_path / name).rglob("*")
            if file.is_file()
        }
        kept = {
            str((ROOT / "examples" / file).relative_to(ROOT / "examples")): (ROOT / "examples" / file).read_text(
                encoding="utf-8"
            )
            for file in git(
                ROOT / "examples", "ls-files", "--cached", "--others", "--exclude-standard", name
            ).splitlines()
        }
        assert rendered == kept, f"examples/{name} is out of date: run ./dev examples"


def test_a_service_copied_from_a_bare_clone_remembers_it(platform: Path, tmp_path: Path) -> None:
    bare = tmp_path / "platform.git"
    shutil.copytree(platform / ".git", bare)
    git(bare, "config", "core.bare", "true")
    copier.run_copy(f"git+file://{bare}", tmp_path / "service", data=ANSWERS, defaults=True, quiet=True, vcs_ref="HEAD")
    requirement = (tmp_path / "service" / "requirements-baselib.txt").read_text(encoding="utf-8")
    assert f"git+file://{bare}@{git(platform, 'rev-parse', 'HEAD')}" in requirement

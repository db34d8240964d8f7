"""A generated service of each kind passes its own tests, as its README says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.template.conftest import ANSWERS
from tools.template import commit, copy

pytestmark = pytest.mark.slow

KINDS = ("web", "worker-daemon", "worker-cron")


@pytest.mark.parametrize("kind", KINDS)
def test_tox_passes(platform: Path, tmp_path: Path, kind: str) -> None:
    service = tmp_path / f"duolingo-{kind}"
    answers = {**ANSWERS, "kind": kind, "data_stores": ["postgres", "redis"], "hard_dependencies": ["duolingo-auth"]}
    copy(service, answers, source=platform)
    subprocess.run(["git", "init", "--quiet", str(service)], check=True)
    commit(service, "Start from the template")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, "-m", "tox"], cwd=service, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert (
        subprocess.run(["git", "status", "--porcelain"], cwd=service, capture_output=True, text=True, check=True).stdout
        == ""
    ), "the tests leave files that .gitignore does not know"


def test_its_linter_and_type_checker_bite(platform: Path, tmp_path: Path) -> None:
    service = tmp_path / "service"
    copy(service, ANSWERS, source=platform)
    routes = service / "src" / "duolingo_api" / "routes.py"
    good = routes.read_text(encoding="utf-8")
    for tool, bad in (
        (["ruff", "check"], "\nimport os\n"),
        (["ruff", "format", "--check"], "\nx  =  1\n"),
        (["mypy"], "\n\ndef untyped(x):\n    return x\n"),
    ):
        routes.write_text(good + bad, encoding="utf-8")
        done = subprocess.run([sys.executable, "-m", *tool], cwd=service, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stdout
        assert "routes.py" in done.stdout

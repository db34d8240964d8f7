"""The Terraform of a generated service of each kind finds its modules and is valid."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.template.conftest import ANSWERS
from tools.template import copy, git

pytestmark = pytest.mark.e2e

Run = CompletedProcess[str]

SERVICES: dict[str, dict[str, Any]] = {
    "web": {"kind": "web", "exposure": "external", "environments": ["staging", "prod"]},
    "worker-daemon": {"kind": "worker-daemon", "hard_dependencies": ["duolingo-auth", "duolingo-user-data"]},
    "worker-cron": {"kind": "worker-cron", "schedule": "rate(5 minutes)"},
}
DATA_STORES = ["postgres", "redis", "memcached", "elasticsearch"]


@pytest.mark.parametrize("kind", SERVICES)
@pytest.mark.parametrize("data_stores", [[], DATA_STORES], ids=["without data stores", "with data stores"])
def test_a_copy_of_a_commit_is_valid(
    platform: Path,
    tmp_path: Path,
    terraform: Callable[..., Run],
    initialise: Callable[[Path], None],
    kind: str,
    data_stores: list[str],
) -> None:
    copy(tmp_path / "service", {**ANSWERS, **SERVICES[kind], "data_stores": data_stores}, source=platform)
    folder = tmp_path / "service" / "terraform"
    assert f"?ref={git(platform, 'rev-parse', 'HEAD')}" in (folder / "main.tf").read_text(encoding="utf-8")
    check(folder, terraform, initialise)


def test_a_copy_of_a_dirty_checkout_is_valid(
    platform: Path, tmp_path: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]
) -> None:
    checkout = tmp_path / "platform"
    git(platform, "clone", "--quiet", str(platform), str(checkout))
    (checkout / "notes.txt").write_text("Not committed.\n", encoding="utf-8")
    copy(tmp_path / "service", {**ANSWERS, "kind": "web"}, source=checkout)
    check(tmp_path / "service" / "terraform", terraform, initialise)


def check(folder: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]) -> None:
    """Formatted, and valid with the modules that it names."""
    formatted = terraform(folder, "fmt", "-check", "-diff")
    assert formatted.returncode == 0, formatted.stdout
    initialise(folder)
    valid = terraform(folder, "validate", "-no-color")
    assert valid.returncode == 0, valid.stdout + valid.stderr

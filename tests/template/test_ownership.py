"""File ownership: declared once in seeded.yml, and every rendered file belongs to exactly one side."""

from pathlib import Path
from typing import Any

import pathspec
import pytest
import yaml

from tests.template.conftest import Render
from tools.template import ROOT

SEEDED: list[str] = yaml.safe_load((ROOT / "seeded.yml").read_text(encoding="utf-8"))
OWNED_MARK = "Template-owned"
# These formats have no place for a comment that would be seen, or the file says it in other words.
UNMARKED = {".copier-answers.yml", ".dockerignore", ".gitignore"}
# Patterns of the days before the first service was copied.
NEVER_RELEASED = {"/src/*/report.py", "/tests/test_report.py"}


def is_seeded(name: str) -> bool:
    """Whether a service owns a file."""
    return pathspec.PathSpec.from_lines("gitignore", SEEDED).match_file(name)


def test_the_patterns_are_literal() -> None:
    assert not [pattern for pattern in SEEDED if "{" in pattern or "%" in pattern]


@pytest.mark.parametrize("kind", ["web", "worker-daemon", "worker-cron"])
@pytest.mark.parametrize("ci", ["github-actions", "jenkins"])
def test_every_owned_file_says_so_and_no_seeded_file_does(render: Render, kind: str, ci: str) -> None:
    folder = render(kind=kind, ci=ci, data_stores=["postgres"])
    for file in (each for each in folder.rglob("*") if each.is_file()):
        name = str(file.relative_to(folder))
        beginning = "\n".join(file.read_text(encoding="utf-8").splitlines()[:2])
        assert (OWNED_MARK in beginning) == (not is_seeded(name) and name not in UNMARKED), name


def test_every_pattern_fits_a_file_of_some_kind(render: Render) -> None:
    answers: list[dict[str, Any]] = [{"kind": kind} for kind in ("web", "worker-daemon", "worker-cron")]
    names: set[str] = set()
    for each in answers:
        folder = render(**each)
        names |= {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    # What a service may add by itself under a standard name is the service's own too.
    added_by_services = {"/CHANGELOG.md", "/compose.override.yaml"}
    for pattern in set(SEEDED) - added_by_services:
        spec = pathspec.PathSpec.from_lines("gitignore", [pattern])
        assert any(spec.match_file(name) for name in names), pattern


def test_no_pattern_was_ever_taken_out(platform: Path) -> None:
    from tools.template import git  # noqa: PLC0415

    for commit in git(platform, "log", "--format=%H", "--", "seeded.yml").splitlines():
        before: list[str] = yaml.safe_load(git(platform, "show", f"{commit}:seeded.yml"))
        missing = set(before) - set(SEEDED) - NEVER_RELEASED
        assert not missing, f"{commit} had {missing}, and services copied then would lose these files"

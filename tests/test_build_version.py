"""The version of a build: the release, and the commit that it was built from."""

import importlib.util
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
# https://packaging.python.org/en/latest/specifications/version-specifiers/
LOCAL_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(\+[a-z0-9]+(\.[a-z0-9]+)*)?")


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_version_under_test", ROOT / "build_version.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Git = Callable[..., str]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder laid out as the repository, without git."""
    folder = tmp_path / "checkout"
    (folder / "baselib").mkdir(parents=True)
    (folder / "baselib" / "VERSION").write_text("1.2.3\n")
    (folder / "pyproject.toml").write_text("")
    (folder / "build_version.py").write_text("")
    (folder / "NOTES").write_text("")
    return folder


@pytest.fixture
def build_version(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, looking at that folder."""
    module = _load()
    monkeypatch.setattr(module, "ROOT", checkout)
    return module


@pytest.fixture
def git(checkout: Path) -> Git:
    """Run git in that folder."""
    identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false"]

    def run(*arguments: str, folder: Path = checkout) -> str:
        command = ["git", "-C", str(folder), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return run


@pytest.fixture
def commit(git: Git) -> str:
    """The folder as a clean checkout, and the commit's id."""
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    return git("rev-parse", "HEAD")


def test_without_git_the_version_is_the_release(build_version: ModuleType) -> None:
    assert build_version.label() is None
    assert build_version.version() == "1.2.3"


def test_a_clean_checkout_is_labelled_with_its_commit(build_version: ModuleType, commit: str) -> None:
    assert build_version.version() == f"1.2.3+g{commit[:12]}"
    assert LOCAL_VERSION.fullmatch(build_version.version())


@pytest.mark.parametrize("file", ["baselib/VERSION", "baselib/new.py", "pyproject.toml", "build_version.py"])
def test_a_change_of_what_is_built_is_labelled_dirty(
    file: str, build_version: ModuleType, commit: str, checkout: Path
) -> None:
    with (checkout / file).open("a") as changed:
        changed.write("\n")
    assert build_version.version() == "1.2.3+dirty"


def test_a_change_elsewhere_is_none(build_version: ModuleType, commit: str, checkout: Path) -> None:
    (checkout / "NOTES").write_text("changed")
    assert build_version.version() == f"1.2.3+g{commit[:12]}"


def test_a_repository_without_a_commit_has_no_label(build_version: ModuleType, git: Git) -> None:
    git("init", "--quiet")
    assert build_version.version() == "1.2.3"


def test_a_folder_inside_somebody_elses_repository_is_not_labelled_with_their_commit(
    build_version: ModuleType, git: Git, checkout: Path
) -> None:
    git("init", "--quiet", folder=checkout.parent)
    git("commit", "--quiet", "--allow-empty", "--message", "theirs", folder=checkout.parent)
    assert build_version.version() == "1.2.3"


def test_a_hooks_environment_does_not_lead_to_another_repository(
    build_version: ModuleType, commit: str, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git("init", "--quiet", folder=other)
    git("commit", "--quiet", "--allow-empty", "--message", "other", folder=other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert build_version.version() == f"1.2.3+g{commit[:12]}"


def test_a_source_archive_keeps_the_version_that_it_was_made_with(
    build_version: ModuleType, commit: str, checkout: Path
) -> None:
    (checkout / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: baselib\nVersion: 1.2.3+gabc\n\nVersion: 9\n")
    assert build_version.version() == "1.2.3+gabc"


def test_a_machine_without_git_builds_the_release(
    build_version: ModuleType, commit: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build_version.version() == "1.2.3"


def test_the_release_of_this_repository_is_one() -> None:
    module = _load()
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", module.release())
    assert LOCAL_VERSION.fullmatch(module.__version__)
    assert module.__version__.startswith(module.release())

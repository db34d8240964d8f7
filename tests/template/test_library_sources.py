"""Where a service gets baselib from: never the public index, on which the name belongs to a stranger."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import package_index
from tests.template.conftest import ANSWERS
from tools.template import copy, git

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def wheels(platform: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of the platform's commit."""
    folder = tmp_path_factory.mktemp("wheels")
    run("uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), cwd=platform)
    return folder


def run(*command: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command without the environment of this project."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done


def installed_version(service: Path) -> str:
    """Install a service with uv, and return the version of baselib that came with it."""
    run("uv", "venv", "--quiet", ".venv", cwd=service)
    run("uv", "pip", "install", "--quiet", "--python", ".venv", "--editable", ".", cwd=service)
    shown = run(".venv/bin/python", "-c", "import baselib.cli; baselib.cli.main(['--version'])", cwd=service)
    return shown.stdout.strip()


def label(platform: Path) -> str:
    """The version that a build of the platform's commit has."""
    release = (platform / "baselib" / "VERSION").read_text(encoding="utf-8").strip()
    return f"{release}+g{git(platform, 'rev-parse', 'HEAD')[:12]}"


def test_a_commit_of_the_checkout_it_was_copied_from(platform: Path, tmp_path: Path) -> None:
    service = tmp_path / "service"
    said = copy(service, ANSWERS, source=platform)
    assert "WARNING" not in said
    assert installed_version(service) == label(platform)


def test_pip_installs_the_same_commit(platform: Path, tmp_path: Path) -> None:
    service = tmp_path / "service"
    copy(service, {**ANSWERS, "kind": "worker-daemon"}, source=platform)
    run("uv", "venv", "--quiet", "--seed", ".venv", cwd=service)
    run(".venv/bin/python", "-m", "pip", "install", "--quiet", ".", cwd=service)
    shown = run(".venv/bin/baselib", "--version", cwd=service)
    assert shown.stdout.strip() == label(platform)


def test_the_organisations_index(platform: Path, tmp_path: Path, wheels: Path) -> None:
    service = tmp_path / "service"
    copy(service, {**ANSWERS, "library_source": "index", "library_index": package_index.ADDRESS}, source=platform)
    package_index.publish(next(wheels.glob("*.whl")), tmp_path / "www")
    with package_index.served(tmp_path / "www") as address:
        package_index.use(service, address)
        assert installed_version(service) == label(platform)


def test_a_folder_of_wheels(platform: Path, tmp_path: Path, wheels: Path) -> None:
    service = tmp_path / "service"
    copy(service, {**ANSWERS, "library_source": "wheels"}, source=platform)
    shutil.copytree(wheels, service / "wheels")
    assert installed_version(service) == label(platform)


@pytest.mark.parametrize("source", ["index", "wheels"])
def test_the_public_index_cannot_meet_the_requirement(platform: Path, tmp_path: Path, source: str) -> None:
    service = tmp_path / "service"
    copy(service, {**ANSWERS, "library_source": source, "library_index": package_index.ADDRESS}, source=platform)
    requirement = "requirements-baselib.txt"
    assert label(platform) in (service / requirement).read_text(encoding="utf-8")
    # Out of the service's folder, so that only the requirement itself protects.
    shutil.copy2(service / requirement, tmp_path)
    refused = run("uv", "pip", "compile", "--no-deps", requirement, cwd=tmp_path, check=False)
    assert refused.returncode != 0
    assert "baselib" in refused.stderr


def test_a_dirty_checkout_is_said_and_its_own_files_are_used(platform: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "platform"
    git(platform, "clone", "--quiet", str(platform), str(checkout))
    (checkout / "baselib" / "changed.py").write_text('"""Not committed."""\n', encoding="utf-8")
    service = tmp_path / "service"
    said = copy(service, ANSWERS, source=checkout)
    assert f"WARNING: the template was copied from {checkout}, which has changes that are not committed." in said
    assert installed_version(service).endswith("+dirty")
    assert list((service / ".venv").rglob("baselib/changed.py"))
    assert f'"{checkout}//terraform/modules/ecs_web_service"' in (service / "terraform" / "main.tf").read_text(
        encoding="utf-8"
    )


def test_a_plain_folder_is_said(platform: Path, tmp_path: Path) -> None:
    folder = tmp_path / "platform"
    shutil.copytree(platform, folder, ignore=shutil.ignore_patterns(".git"))
    said = copy(tmp_path / "service", ANSWERS, source=folder)
    assert "which is not a git repository" in said


def test_no_credentials_of_the_templates_address_are_written(platform: Path, tmp_path: Path) -> None:
    bare = tmp_path / "platform.git"
    git(platform, "clone", "--quiet", "--bare", str(platform), str(bare))
    git(bare, "update-server-info")
    with package_index.served(tmp_path) as served:
        address = served.removeprefix("http://") + "/platform.git"
        copy(tmp_path / "service", ANSWERS, source=f"http://someone:hush-hush@{address}")
    texts = [file.read_text(encoding="utf-8") for file in (tmp_path / "service").rglob("*") if file.is_file()]
    assert not [text for text in texts if "hush-hush" in text or "someone" in text]
    assert any(f"git+http://{address}@" in text for text in texts)

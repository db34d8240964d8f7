"""Copying services out of this repository's template, as a user does."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def copy(destination: Path, answers: Mapping[str, Any], *, source: str | Path = ROOT, ref: str = "HEAD") -> str:
    """Run `copier copy`.

    Args:
        destination: The folder to make.
        answers: The answers that differ from the defaults.
        source: The template: a folder or an address.
        ref: The state of the template.

    Returns:
        What copier said.

    Raises:
        RuntimeError: It failed; the message is the last thing it said.
    """
    command = [sys.executable, "-m", "copier", "copy", "--defaults", "--vcs-ref", ref]
    for name, value in answers.items():
        command += ["--data", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    done = subprocess.run([*command, str(source), str(destination)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return done.stderr


def snapshot(destination: Path) -> Path:
    """Clone this repository, with its history, and commit what is not committed yet.

    Args:
        destination: The folder to make.
    """
    git(ROOT, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(destination))
    for name in git(ROOT, "ls-files", "--deleted").splitlines():
        (destination / name).unlink(missing_ok=True)
    for name in git(ROOT, "ls-files", "--modified", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, destination / name)
    commit(destination, "Commit what is not committed yet")
    return destination


def commit(folder: Path, message: str) -> None:
    """Commit everything in a folder, if there is anything to commit."""
    git(folder, "add", "--all")
    if git(folder, "status", "--porcelain"):
        git(folder, "commit", "--quiet", "--no-verify", "--message", message)


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it printed.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    identity = {"NAME": "Platform", "EMAIL": "platform@example.com"}
    for who in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{who}_{what}": value for what, value in identity.items()}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()

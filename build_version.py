"""The version of a build: the release, plus the commit as a local version label.

PyPI refuses uploads with a local version label (https://peps.python.org/pep-0440/#local-version-identifiers),
so a requirement on `baselib==0.1.0+g…` can never be met by the stranger's package of that name on the public index.
"""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent
DIRTY = "dirty"


def release() -> str:
    """The release in `baselib/VERSION`, the one place where it is written."""
    return (ROOT / "baselib" / "VERSION").read_text(encoding="utf-8").strip()


def label() -> str | None:
    """`g` and twelve digits of the commit, `dirty` where that commit is not what is built, None without git."""
    if not (ROOT / ".git").exists():
        return None
    try:
        commit = _git("rev-parse", "HEAD")
        changes = _git("status", "--porcelain", "--", "baselib", "pyproject.toml", "build_version.py")
    except (OSError, subprocess.CalledProcessError):
        return None
    return DIRTY if changes else f"g{commit[:12]}"


def version() -> str:
    """The version that the build backend writes into the wheel."""
    source_archive = ROOT / "PKG-INFO"
    if source_archive.exists():
        found = re.search(r"^Version: (.+)$", source_archive.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found.group(1)
    build_label = label()
    return release() if build_label is None else f"{release()}+{build_label}"


def _git(*arguments: str) -> str:
    # A hook or a parent git process may have pointed these at another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    completed = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True, env=environment
    )
    return completed.stdout.strip()


__version__ = version()

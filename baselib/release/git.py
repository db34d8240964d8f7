"""What the history of a service's repository says of two images that are called after their commits."""

import re
import subprocess
from pathlib import Path
from typing import Final

_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}")


def is_older(folder: Path, version: str, *, than: str) -> bool:
    """Whether an image's commit comes before another's.

    Args:
        folder: The repository.
        version: The image's tag.
        than: The other image's tag.

    Returns:
        False also where nobody can tell: a tag is no commit, the clone is without its history, or there is no git.
    """
    if not (_COMMIT.fullmatch(version) and _COMMIT.fullmatch(than)):
        return False
    # Exit code 0 is yes, also for the commit itself, 1 is no, and every other says that a commit is not there.
    return _comes_before(folder, version, than) == 0 and _comes_before(folder, than, version) == 1


def _comes_before(folder: Path, first: str, second: str) -> int | None:
    command = ["git", "merge-base", "--is-ancestor", first, second]
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode
    except FileNotFoundError:
        return None

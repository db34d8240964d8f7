"""The control groups that this process is in, and what their files say.

Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path("/sys/fs/cgroup")
OWN: Final = Path("/proc/self/cgroup")


def folders(controller: str, root: Path, own: Path) -> list[Path]:
    """The folders of this process's groups for a controller: its own first, then every group around it.

    A limit may stand in any of them. A container mostly sees its own group alone, as the root; without a namespace
    for control groups it is told a path which exists only outside, and the root is its own group all the same.

    Args:
        controller: Such as `memory` for version 1, empty for version 2.
        root: Where the control groups are mounted.
        own: The list of this process's groups, /proc/self/cgroup.
    """
    mount = root / controller
    within = PurePosixPath(_own_path(controller, own).lstrip("/"))
    if ".." in within.parts:
        # The group is outside of the namespace, and what is around it as well.
        within = PurePosixPath()
    return [folder for folder in (mount / part for part in (within, *within.parents)) if folder.is_dir()]


def text(file: Path) -> str | None:
    """What a file holds, None when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def number(file: Path) -> int | None:
    """The whole number that a file holds, None when it holds none: `max` in version 2 means that there is no limit."""
    return _whole(text(file))


def statistics(file: Path) -> dict[str, int]:
    """The lines of a file such as `memory.stat`; those that are no name and number are left out."""
    found = {}
    for line in (text(file) or "").splitlines():
        name, _, value = line.partition(" ")
        whole = _whole(value)
        if whole is not None:
            found[name] = whole
    return found


def _own_path(controller: str, own: Path) -> str:
    for line in (text(own) or "").splitlines():
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if (hierarchy == "0" and not controllers) if not controller else controller in controllers.split(","):
            return path
    return ""


def _whole(said: str | None) -> int | None:
    return int(said) if said is not None and said.isascii() and said.isdigit() else None

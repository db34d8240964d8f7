"""The memory that the control group of this container uses and may use."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from baselib.container.cgroup import OWN, ROOT, folders, number, statistics

# Version 1 says "no limit" with the largest page-aligned number; nothing real is above an exbibyte.
_NO_LIMIT_BYTES: Final = 1 << 60
# What the kernel takes back before it kills. Memory of /dev/shm and tmpfs is in none of these lists.
_RECLAIMABLE_V2: Final = ("inactive_file", "active_file", "slab_reclaimable")
_RECLAIMABLE_V1: Final = ("total_inactive_file", "total_active_file")


@dataclass(frozen=True, slots=True)
class CgroupMemory:
    """Memory of a container.

    Attributes:
        limit_bytes: The hard limit, at which the kernel kills.
        used_bytes: The working set as the kernel's killer sees it: what is charged, less what the kernel takes back
            before it kills. That is the page cache, also its active half: a service that reads many files is
            not short of memory. Kernel memory and shared memory (tmpfs) count.
            Sources: `memory.stat` in https://docs.kernel.org/admin-guide/cgroup-v2.html, and "Reclaim" in
            https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
    """

    limit_bytes: int
    used_bytes: int


def memory(root: Path = ROOT, own: Path = OWN) -> CgroupMemory | None:
    """Memory used by and allowed to this container; None where there is no limit, as on a developer's machine.

    Where several groups around this process have a limit, the lowest one kills first, and it is the usage of its
    group that counts.

    Args:
        root: Where the control groups are mounted.
        own: The list of this process's groups.
    """
    limited = [CgroupMemory(limit, used) for limit, used in _groups(root, own) if limit is not None]
    # The first of equals: the innermost.
    return min(limited, key=lambda group: group.limit_bytes, default=None)


def working_set(root: Path = ROOT, own: Path = OWN) -> int | None:
    """The working set of this process's own group in bytes, whether it has a limit or not; None where none tells.

    Args:
        root: Where the control groups are mounted.
        own: The list of this process's groups.
    """
    return next((used for _, used in _groups(root, own)), None)


def _groups(root: Path, own: Path) -> Iterator[tuple[int | None, int]]:
    """Limit and working set of each group around this process, its own first."""
    for read, controller in ((_version_2, ""), (_version_1, "memory")):
        for folder in folders(controller, root, own):
            group = read(folder)
            if group is not None:
                yield group


def _version_2(folder: Path) -> tuple[int | None, int] | None:
    used = number(folder / "memory.current")
    if used is None:
        return None
    told = statistics(folder / "memory.stat")
    return number(folder / "memory.max") or None, _less(used, told, _RECLAIMABLE_V2)


def _version_1(folder: Path) -> tuple[int | None, int] | None:
    used, limit = number(folder / "memory.usage_in_bytes"), number(folder / "memory.limit_in_bytes")
    if used is None or limit is None:
        return None
    told = statistics(folder / "memory.stat")
    # The limit of a group around this one, also where that group cannot be seen.
    lowest = min(limit, told.get("hierarchical_memory_limit", limit))
    return lowest if 0 < lowest < _NO_LIMIT_BYTES else None, _less(used, told, _RECLAIMABLE_V1)


def _less(used: int, told: dict[str, int], reclaimable: tuple[str, ...]) -> int:
    # The two files are read one after the other, and the cache may have grown between.
    return max(0, used - sum(told.get(name, 0) for name in reclaimable))

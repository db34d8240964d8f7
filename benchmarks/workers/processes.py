"""What a process and all that it has started use, out of /proc.

https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """Memory of a tree.

    Attributes:
        resident: MiB that are resident; what processes share counts in each of them.
        proportional: MiB; what processes share is divided between them.
    """

    resident: float
    proportional: float


def cpu_seconds(root: int) -> float:
    """CPU of a process, of its living descendants, and of those that have ended and been waited for."""
    # utime, stime, cutime and cstime; the name in parentheses before them may hold spaces.
    return sum(sum(map(int, stat[11:15])) for _, stat in _tree(root)) / _TICKS_PER_SECOND


def memory(root: int) -> Memory:
    """Memory of a process and of its living descendants."""
    resident = proportional = 0
    for process, _ in _tree(root):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
                name, _, rest = line.partition(":")
                if name == "Rss":
                    resident += int(rest.split()[0])
                elif name == "Pss":
                    proportional += int(rest.split()[0])
    return Memory(resident / 1024, proportional / 1024)


def _tree(root: int) -> Iterator[tuple[int, list[str]]]:
    """The ids of a process and its descendants, with the fields of `stat` that follow the name."""
    stats: dict[int, list[str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            stats[int(folder.name)] = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    found = [root]
    for process in found:
        if process in stats:
            yield process, stats[process]
            found.extend(child for child, stat in stats.items() if int(stat[1]) == process)

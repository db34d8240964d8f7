"""How much memory is in use now; never the peak, which would restart a worker for a spike long past."""

import os
from pathlib import Path
from typing import Final

from baselib import container

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident_bytes(process: int) -> int:
    """The resident set of a process, 0 when it is gone or the system does not tell.

    Args:
        process: Its id.
    """
    try:
        with Path(f"/proc/{process}/statm").open("rb") as statm:
            return int(statm.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def private_bytes(process: int) -> int:
    """What the end of a process would free: its resident set without the pages that it shares with others.

    A forked worker shares what was preloaded, so that its resident set says little about its own growth.

    Args:
        process: Its id.
    """
    told = _rollup(process)
    return told["Private_Clean"] + told["Private_Dirty"] if told else resident_bytes(process)


def used_bytes(processes: list[int]) -> int:
    """What counts against the limit: the container's working set, or the sum of some processes outside of one.

    Args:
        processes: The ids of all processes of the service.
    """
    found = container.memory()
    if found is not None:
        return found.used_bytes
    # A group without a limit is a whole session or machine, except in an ECS task, where it is the container.
    used = container.working_set() if container.on_ecs(os.environ) else None
    if used is not None:
        return used
    return sum(_proportional_bytes(process) for process in processes)


def _proportional_bytes(process: int) -> int:
    """The resident set with shared pages divided among who shares them."""
    told = _rollup(process)
    return told["Pss"] if told else resident_bytes(process)


def _rollup(process: int) -> dict[str, int]:
    """Bytes by kind; empty when the process is gone or the system does not tell."""
    try:
        with Path(f"/proc/{process}/smaps_rollup").open("r", encoding="ascii") as rollup:
            next(rollup)  # the range of addresses
            lines = [line.split() for line in rollup]
        return {kind.rstrip(":"): int(kibibytes) * 1024 for kind, kibibytes, _ in lines}
    except (OSError, ValueError, StopIteration):
        return {}

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


def used_bytes(processes: list[int]) -> int:
    """What counts against the limit: the container's working set, or the sum of some processes outside of one.

    Args:
        processes: The ids of all processes of the service.
    """
    found = container.memory()
    if found is not None:
        return found.used_bytes
    return sum(_proportional_bytes(process) for process in processes)


def _proportional_bytes(process: int) -> int:
    """The resident set with shared pages divided among who shares them, as forked workers share what was preloaded."""
    try:
        with Path(f"/proc/{process}/smaps_rollup").open("rb") as rollup:
            for line in rollup:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, IndexError):
        pass
    return resident_bytes(process)

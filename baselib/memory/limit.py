"""What 100 % of a task's memory is."""

import os
from typing import Final

from baselib import container
from baselib.contract import Settings

MEBIBYTE: Final = 1 << 20
# Room for one replacement worker between the restart and the kernel's kill.
SHARE_OF_HARD_LIMIT: Final = 0.85


def hard_limit() -> int | None:
    """The bytes at which the kernel kills, from the control group and from ECS; None where neither tells a limit."""
    found = container.memory()
    limits = (found.limit_bytes if found is not None else None, container.ecs_memory_limit(os.environ))
    return min((limit for limit in limits if limit is not None), default=None)


def memory_limit(settings: Settings) -> int | None:
    """The limit in bytes: what Terraform reserved, otherwise 85 % of the container's hard limit, None without either.

    Args:
        settings: Gives `MEMORY_LIMIT_MIB`; 0 means that nothing is done about memory, which is for drills.
    """
    if settings.memory_limit_mib is not None:
        return settings.memory_limit_mib * MEBIBYTE or None
    found = hard_limit()
    return int(found * SHARE_OF_HARD_LIMIT) if found is not None else None

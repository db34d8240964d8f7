"""What 100 % of a task's memory is."""

from typing import Final

from baselib import container
from baselib.contract import Settings

MEBIBYTE: Final = 1 << 20
# Room for one replacement worker between the restart and the kernel's kill.
_SHARE_OF_HARD_LIMIT: Final = 0.85


def memory_limit(settings: Settings) -> int | None:
    """The limit in bytes: what Terraform reserved, otherwise 85 % of the container's hard limit, None without either.

    Args:
        settings: Gives `MEMORY_LIMIT_MIB`.
    """
    if settings.memory_limit_mib is not None:
        return settings.memory_limit_mib * MEBIBYTE
    found = container.memory()
    return int(found.limit_bytes * _SHARE_OF_HARD_LIMIT) if found is not None else None

"""Memory: how much is used, how much is 100 %, and what happens there: a restart before the kernel kills.

>>> from baselib.memory import MemoryGuard
>>> guard = MemoryGuard(limit_bytes=100, used=lambda: 120, relieve=lambda used: print(used, "bytes are too many"))
>>> guard.check()
120 bytes are too many
"""

from baselib.memory.fit import Fit
from baselib.memory.guard import MemoryGuard
from baselib.memory.limit import hard_limit, memory_limit
from baselib.memory.trace import AllocationTrace
from baselib.memory.usage import private_bytes, resident_bytes, used_bytes

__all__ = [
    "AllocationTrace",
    "Fit",
    "MemoryGuard",
    "hard_limit",
    "memory_limit",
    "private_bytes",
    "resident_bytes",
    "used_bytes",
]

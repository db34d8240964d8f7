"""Memory: how much is used, how much is 100 %, and what happens there: a restart before the kernel kills."""

from baselib.memory.fit import Fit
from baselib.memory.guard import MemoryGuard
from baselib.memory.limit import memory_limit
from baselib.memory.usage import resident_bytes, used_bytes

__all__ = ["Fit", "MemoryGuard", "memory_limit", "resident_bytes", "used_bytes"]

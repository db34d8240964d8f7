"""The limits of this container's control group, version 1 or 2.

Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")

# Version 1 says "no limit" with the largest page-aligned number; nothing real is above an exbibyte.
_NO_LIMIT_BYTES = 1 << 60
# What one vCPU is worth in cpu.shares, which is also one vCPU in ECS's CPU units.
_SHARES_OF_A_CPU = 1024
# docker's default, which says nothing about the container.
_DEFAULT_SHARES = 1024
# The kernel's default of version 2, which says as little.
_DEFAULT_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class CgroupMemory:
    """Memory of a container.

    Attributes:
        limit_bytes: The hard limit, at which the kernel kills.
        used_bytes: The working set: what is charged, less the page cache that the kernel can drop first.
    """

    limit_bytes: int
    used_bytes: int


def memory(root: Path = ROOT) -> CgroupMemory | None:
    """Memory used by and allowed to this container; None where there is no limit, as on a developer's machine."""
    return _memory_v2(root) or _memory_v1(root / "memory")


def cpu_limit(root: Path = ROOT) -> float:
    """How many CPUs this container may use, as a fraction; the machine's count where nothing limits it.

    A quota (Fargate, `--cpus`) is a limit. ECS on EC2 gives shares instead, which count too: they are what the
    container gets when the machine is busy, and sizing for the whole host is how services starve each other.
    """
    machine = float(len(os.sched_getaffinity(0)))
    found = [
        limit
        for limit in (_quota_v2(root), _quota_v1(root / "cpu"), _shares_v1(root / "cpu"), _weight_v2(root))
        if limit
    ]
    return min([machine, *found])


def _memory_v2(folder: Path) -> CgroupMemory | None:
    limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
    if limit is None or used is None:
        return None
    return CgroupMemory(limit, max(0, used - _statistic(folder / "memory.stat", "inactive_file")))


def _memory_v1(folder: Path) -> CgroupMemory | None:
    limit, used = _number(folder / "memory.limit_in_bytes"), _number(folder / "memory.usage_in_bytes")
    if limit is None or used is None or limit >= _NO_LIMIT_BYTES:
        return None
    return CgroupMemory(limit, max(0, used - _statistic(folder / "memory.stat", "total_inactive_file")))


def _quota_v2(folder: Path) -> float | None:
    text = _text(folder / "cpu.max")
    if text is None or text.startswith("max"):
        return None
    quota, period = text.split()
    return int(quota) / int(period)


def _quota_v1(folder: Path) -> float | None:
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _shares_v1(folder: Path) -> float | None:
    shares = _number(folder / "cpu.shares")
    return shares / _SHARES_OF_A_CPU if shares and shares != _DEFAULT_SHARES else None


def _weight_v2(folder: Path) -> float | None:
    # The runtime turns shares into 1 + (shares - 2) * 9999 / 262142.
    weight = _number(folder / "cpu.weight")
    if weight is None or weight == _DEFAULT_WEIGHT:
        return None
    return (2 + (weight - 1) * 262142 / 9999) / _SHARES_OF_A_CPU


def _statistic(file: Path, name: str) -> int:
    for line in (_text(file) or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _number(file: Path) -> int | None:
    text = _text(file)
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return None

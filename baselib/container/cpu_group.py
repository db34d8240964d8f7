"""How much CPU the control group of this container may use."""

import os
from pathlib import Path
from typing import Final

from baselib.container.cgroup import OWN, ROOT, folders, number, text

# What one vCPU is worth in cpu.shares, which is also one vCPU in ECS's CPU units.
_SHARES_OF_A_CPU: Final = 1024
# docker's default, which says nothing about the container.
_DEFAULT_SHARES: Final = 1024
# The kernel's default of version 2, which says as little.
_DEFAULT_WEIGHT: Final = 100


def cpu_limit(root: Path = ROOT, own: Path = OWN) -> float:
    """How many CPUs this container may use, as a fraction; the machine's count where nothing limits it.

    A quota (Fargate, `--cpus`) is a limit. ECS on EC2 gives shares instead, which count too: they are what the
    container gets when the machine is busy, and sizing for the whole host is how services starve each other.

    Args:
        root: Where the control groups are mounted.
        own: The list of this process's groups.
    """
    machine = float(len(os.sched_getaffinity(0)))
    version_2, version_1 = folders("", root, own), folders("cpu", root, own)
    limits = [
        *(_quota_v2(folder) for folder in version_2),
        *(_quota_v1(folder) for folder in version_1),
        # Shares weigh a group against its neighbours: only those of the own group are this container's.
        *(_shares_v1(folder) for folder in version_1[:1]),
        *(_weight_v2(folder) for folder in version_2[:1]),
    ]
    return min([machine, *(limit for limit in limits if limit)])


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = (text(folder / "cpu.max") or "").partition(" ")
    # The first is `max` where there is none.
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _quota_v1(folder: Path) -> float | None:
    # A quota of -1, which is no number here, is none.
    quota, period = number(folder / "cpu.cfs_quota_us"), number(folder / "cpu.cfs_period_us")
    return quota / period if quota and period else None


def _shares_v1(folder: Path) -> float | None:
    shares = number(folder / "cpu.shares")
    return shares / _SHARES_OF_A_CPU if shares and shares != _DEFAULT_SHARES else None


def _weight_v2(folder: Path) -> float | None:
    # The runtime turns shares into 1 + (shares - 2) * 9999 / 262142.
    weight = number(folder / "cpu.weight")
    if weight is None or weight == _DEFAULT_WEIGHT:
        return None
    return (2 + (weight - 1) * 262142 / 9999) / _SHARES_OF_A_CPU

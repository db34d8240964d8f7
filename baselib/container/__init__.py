"""What the container around this process is allowed, and whether it is an ECS task."""

from baselib.container.cgroup import CgroupMemory, cpu_limit, memory
from baselib.container.ecs import on_ecs

__all__ = ["CgroupMemory", "cpu_limit", "memory", "on_ecs"]

"""What the container that a process runs in is allowed: CPU and memory, from the cgroup and the ECS metadata endpoint."""

from baselib.container.cgroup import CgroupMemory, cpu_limit, memory
from baselib.container.ecs import on_ecs

__all__ = ["CgroupMemory", "cpu_limit", "memory", "on_ecs"]

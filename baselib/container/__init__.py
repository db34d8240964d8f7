"""What the container around this process is allowed, and whether it is an ECS task.

>>> from baselib import container
>>> container.cpu_limit() > 0
True
>>> container.on_ecs({"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/1"})
True
"""

from baselib.container.cpu_group import cpu_limit
from baselib.container.ecs import on_ecs
from baselib.container.ecs_memory import ecs_memory_limit
from baselib.container.memory_group import CgroupMemory, memory, working_set

__all__ = ["CgroupMemory", "cpu_limit", "ecs_memory_limit", "memory", "on_ecs", "working_set"]

"""The memory that ECS allows this container, asked from the task metadata endpoint.

On Fargate the limit is mostly the task's: this container's own group need not show it, and sidecars take their part.
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html
"""

import functools
import json
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from baselib.bare_http import get
from baselib.container.ecs import METADATA_VARIABLE

_MEBIBYTE: Final = 1 << 20
# The start waits no longer than this for all the answers together.
_TIMEOUT_SECONDS: Final = 1.0
_LONGEST_ANSWER_BYTES: Final = 1 << 20


def ecs_memory_limit(environ: Mapping[str, str], timeout: float = _TIMEOUT_SECONDS) -> int | None:
    """The hard limit of this container in bytes; None outside of ECS and where ECS sets or tells none.

    It is asked once for each address: the answer does not change during the life of a task.

    Args:
        environ: The environment variables, usually `os.environ`.
        timeout: Seconds that all the questions may take together.
    """
    address = environ.get(METADATA_VARIABLE)
    return _limit(address, timeout) if address else None


@functools.lru_cache(maxsize=16)
def _limit(address: str, timeout: float) -> int | None:
    deadline = time.monotonic() + timeout
    container = _ask(address, "", deadline)
    limits = [_limit_of(container)]
    task = _ask(address, "/task", deadline)
    of_task = _limit_of(task)
    if of_task is not None:
        left = of_task - _sidecars_share(task.get("Containers"), container.get("DockerId"), address, deadline)
        # Whatever the sidecars were given, some of the task's memory is this container's.
        limits.append(left if left > 0 else of_task)
    return min((limit for limit in limits if limit is not None), default=None)


def _sidecars_share(containers: Any, own: Any, address: str, deadline: float) -> int:
    """What the other containers may take: their own limits, or what one without a limit uses now."""
    others = [
        other
        for other in (containers if isinstance(containers, list) else [])
        if isinstance(other, dict) and other.get("DockerId") != own and other.get("KnownStatus") != "STOPPED"
    ]
    # Without the own name nobody is known to be another.
    if not own or not others:
        return 0
    limits = [_limit_of(other) for other in others]
    statistics = _ask(address, "/task/stats", deadline) if None in limits else {}
    return sum(
        _used(statistics.get(str(other.get("DockerId")))) if limit is None else limit
        for other, limit in zip(others, limits, strict=True)
    )


def _used(statistics: Any) -> int:
    # Fargate answers null during the first second of a container's life.
    return _whole(_part(_part(statistics, "memory_stats"), "usage")) or 0


def _limit_of(described: Any) -> int | None:
    mebibytes = _whole(_part(_part(described, "Limits"), "Memory"))
    return mebibytes * _MEBIBYTE if mebibytes else None


def _part(whole: Any, name: str) -> Any:
    return whole.get(name) if isinstance(whole, dict) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _ask(address: str, path: str, deadline: float) -> dict[str, Any]:
    """An answer as JSON; empty whatever goes wrong, because the endpoint is only the second source."""
    try:
        answer = json.loads(_body(address + path, deadline))
    except (OSError, ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _body(address: str, deadline: float) -> bytes:
    parts = urlsplit(address)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("no address of the metadata endpoint")
    answer = get(
        parts.hostname,
        parts.port or 80,
        parts.path or "/",
        timeout=deadline - time.monotonic(),
        most_bytes=_LONGEST_ANSWER_BYTES,
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] != [b"200"]:
        raise ValueError("the metadata endpoint refuses")
    return body

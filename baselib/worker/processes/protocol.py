"""What the worker's process and those of its handlers say to each other.

In a module of its own, because the one that a process begins with is called `__main__` there.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from baselib.worker.engine.outcome import Verdict


class Order(NamedTuple):
    """Messages to be handled.

    Attributes:
        queue: The name of a further queue; the worker's own when None.
        raws: The messages as SQS gave them.
        remaining: Seconds that their handler has; None where nobody has said so.
    """

    queue: str | None
    raws: Sequence[dict[str, Any]]
    remaining: float | None


class Result(NamedTuple):
    """What became of a message.

    Attributes:
        verdict: What shall become of it now.
        on_deleted: What is done when it has been deleted.
    """

    verdict: Verdict
    on_deleted: Callable[[], object] | None

"""What a call leaves behind for the sending thread.

A caller pays for one tuple and one append; adding up, forming lines and sending is the thread's work. A counter that
goes up by one, which is most of them, is only a key, because `collections.Counter` adds up keys at the speed of C.
"""

from typing import Any, Literal, TypeAlias

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""Tags as keys and values, in a form that can be kept without a copy."""


class Tagged:
    """A metric's name with its tags, made once to be used often: it is known by itself and never hashed anew.

    Args:
        name: The metric's name.
        tags: Its tags.
    """

    __slots__ = ("name", "tags")

    def __init__(self, name: str, tags: Pairs) -> None:
        self.name = name
        self.tags = tags


Key: TypeAlias = str | tuple[str, Pairs] | Tagged
"""A metric's name, with its tags where it has any."""

Kind: TypeAlias = Literal["c", "ms", "h", "g", "+g", "s"]
"""The type of a metric in statsd's protocol; `+g` is a change of a gauge."""

Event: TypeAlias = tuple[Kind, Key, Any, float]
"""Kind, name and tags, value, rate."""

MAXIMUM_WAITING = 50_000
"""How many events of a sort may wait; at 200 bytes each that is 10 MB."""

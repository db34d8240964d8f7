"""What a job asks for: how long it may take, and what becomes of runs that overlap or were missed."""

import math
from dataclasses import dataclass
from typing import Any, Final, get_args

from baselib.worker.cron.lock import Overlap
from baselib.worker.cron.run import CatchUp

_LONGEST_NAME: Final = 200
# Four renewals and as many attempts at each have to fit in.
_SHORTEST_LEASE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a job is run; see `Job`.

    Raises:
        ValueError: A number or a word is none that is accepted.
    """

    name: str
    deadline: float = 3600
    overlap: Overlap | None = None
    wait: float = 300
    lease: float = 60
    catch_up: CatchUp = "skip"
    every: float | None = None
    most: int = 24

    def __post_init__(self) -> None:
        _require(
            0 < len(self.name) <= _LONGEST_NAME and "#" not in self.name,
            "name",
            self.name,
            f"1 to {_LONGEST_NAME} characters without #",
        )
        _require(
            self.overlap is None or self.overlap in get_args(Overlap), "overlap", self.overlap, "skip, wait or allow"
        )
        _require(self.catch_up in get_args(CatchUp), "catch_up", self.catch_up, "skip, window or each")
        _require(_finite(self.deadline) and self.deadline > 0, "deadline", self.deadline, "seconds above 0")
        _require(_finite(self.wait) and self.wait >= 0, "wait", self.wait, "seconds, 0 or more")
        _require(
            _finite(self.lease) and self.lease >= _SHORTEST_LEASE_SECONDS,
            "lease",
            self.lease,
            f"seconds, {_SHORTEST_LEASE_SECONDS:g} or more",
        )
        _require(self.every is None or (_finite(self.every) and self.every > 0), "every", self.every, "seconds above 0")
        _require(
            self.every is not None or self.catch_up != "each",
            "every",
            self.every,
            'the seconds from one scheduled time to the next, with catch_up="each"',
        )
        _require(isinstance(self.most, int) and self.most >= 1, "most", self.most, "a whole number above 0")


def _require(met: bool, name: str, value: object, accepted: str) -> None:
    if not met:
        raise ValueError(f"{name} is {value!r}: accepted is {accepted}")


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

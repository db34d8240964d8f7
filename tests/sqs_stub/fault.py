"""What can go wrong on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

KINDS: Final = ("throttle", "error", "reset", "hang", "latency", "fail_entries", "lose_answer")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Several at the same time add up.

    Attributes:
        kind: One of these.
            `throttle`: ThrottlingException with HTTP 400; `code` and `message` may be others.
            `error`: the status of `status`, with `code` and `message` if they are given.
            `reset`: the connection is reset and nothing is done.
            `hang`: nothing is done and answered until the fault is cleared or its seconds are over; then it is.
            `latency`: done and answered so many milliseconds later.
            `fail_entries`: entries of batches fail with SenderFault=false.
            `lose_answer`: done, then the connection is reset instead of the answer.
        fraction: The share of calls (of entries, for `fail_entries`) that it strikes.
        actions: The actions that it strikes; all when empty. Only a batch has entries to fail.
        seconds: How long it lasts; None until it is cleared.
        count: How often it strikes at most; None without end.
        milliseconds: For `latency`.
        status: For `error`.
        code: The error's name, for `throttle`, `error` and `fail_entries`.
        message: The error's text.
    """

    kind: str
    fraction: float = 1.0
    actions: tuple[str, ...] = ()
    seconds: float | None = None
    count: int | None = None
    milliseconds: float = 0.0
    status: int = 500
    code: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; there are {', '.join(KINDS)}")
        if not 0.0 <= self.fraction <= 1.0:
            raise ValueError(f"the fraction of a fault is {self.fraction}; it has to be from 0 to 1")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Fault":
        """A fault as it comes as JSON."""
        return cls(**{**values, "actions": tuple(values.get("actions") or ())})

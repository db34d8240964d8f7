"""Which faults are on, and whom they strike."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tests.sqs_stub.errors import SqsError
from tests.sqs_stub.fault import Fault

_RETRY_LATER: Final = "We encountered an internal error. Please try again."


class ActiveFault:
    """A fault that is on."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.until = time.monotonic() + fault.seconds if fault.seconds is not None else float("inf")
        self.left = fault.count if fault.count is not None else float("inf")
        self.cleared = False

    @property
    def over(self) -> bool:
        """Whether what hangs because of it may go on; that it strikes nobody else is no reason."""
        return self.cleared or self.until <= time.monotonic()


class Faults:
    """The faults that are on; each is drawn from one seeded random generator."""

    def __init__(self) -> None:
        self.active: list[ActiveFault] = []
        self.struck: Counter[str] = Counter()
        # Told when a fault begins or ends before its time, so that hanging calls go on.
        self.changed: Callable[[], None] = lambda: None
        self._random = random.Random(0)

    def seed(self, seed: int) -> None:
        """Draw the same again from now on."""
        self._random.seed(seed)

    def add(self, faults: Iterable[Fault]) -> None:
        """Let more faults strike."""
        self.active += [ActiveFault(fault) for fault in faults]
        self.changed()

    def clear(self, kinds: Iterable[str] = ()) -> None:
        """Let none strike any more, or none of some kinds."""
        wanted = frozenset(kinds)
        for each in self.active:
            each.cleared = each.cleared or not wanted or each.fault.kind in wanted
        self._forget()
        self.changed()

    def _forget(self) -> None:
        # Whom a spent fault hangs still waits for its end.
        self.active = [each for each in self.active if not each.over and (each.left > 0 or each.fault.kind == "hang")]

    def strike_all(self, kind: str, action: str) -> Iterator[ActiveFault]:
        """The faults of a kind that strike this call."""
        forget = False
        for each in self.active:
            fault = each.fault
            if fault.kind != kind or (fault.actions and action not in fault.actions):
                continue
            if each.left <= 0 or each.over:
                forget = True
            elif fault.fraction >= 1.0 or self._random.random() < fault.fraction:
                each.left -= 1
                self.struck[kind] += 1
                yield each
        if forget:
            self._forget()

    def strike(self, kind: str, action: str) -> Fault | None:
        """A fault of a kind that strikes this call, if one does."""
        found = next(self.strike_all(kind, action), None)
        return found.fault if found else None

    def latency(self, action: str) -> float:
        """By how many seconds this call is late."""
        return sum(each.fault.milliseconds for each in self.strike_all("latency", action)) / 1_000

    def error(self, action: str) -> SqsError | None:
        """The error that this call gets instead of being done."""
        fault = self.strike("throttle", action)
        if fault:
            # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
            return SqsError(fault.code or "ThrottlingException", fault.message or "Rate exceeded")
        fault = self.strike("error", action)
        if not fault:
            return None
        code = fault.code or ("ServiceUnavailable" if fault.status == 503 else "InternalFailure")
        return SqsError(code, fault.message or _RETRY_LATER, status=fault.status, sender=fault.status < 500)

    def fail_entry(self, action: str) -> None:
        """Fail one entry of a batch.

        Raises:
            SqsError: A fault strikes it.
        """
        fault = self.strike("fail_entries", action)
        if fault:
            raise SqsError(fault.code or "InternalError", fault.message or _RETRY_LATER, status=500, sender=False)

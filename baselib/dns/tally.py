"""Counts look-ups at next to no cost, and tells them to the metrics now and then."""

import itertools
import socket
from collections import Counter
from typing import Final, Literal

from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import DNS_LOOKUPS, DNS_PACKETS_SAVED

Result = Literal["hit", "miss", "stale", "failed"]

_BOTH_FAMILIES: Final = 2


class Tally:
    """What became of the calls since it was last told.

    A call that was spared counts as the packets of one question: two (A and AAAA) for any family, one for a single
    one. That is an estimate: search domains and retries cost more, and a name in /etc/hosts costs nothing.
    """

    def __init__(self) -> None:
        self._results: Counter[Result] = Counter()
        # Advancing a count is one step of the interpreter, so that it needs no lock.
        self.hits = {1: itertools.count(), _BOTH_FAMILIES: itertools.count()}

    def add(self, result: Result) -> None:
        """Count a call that was not a hit; under the cache's lock."""
        self._results[result] += 1

    def tell(self) -> None:
        """Send what was counted and begin again; under the cache's lock."""
        hits = {packets: next(count) for packets, count in self.hits.items()}
        for packets in self.hits:
            self.hits[packets] = itertools.count()
        results, self._results = self._results, Counter()
        results["hit"] = sum(hits.values())
        for result, number in results.items():
            if number:
                metrics.incr(DNS_LOOKUPS.name, number, tags={"result": result})
        saved = sum(packets * number for packets, number in hits.items())
        if saved:
            metrics.incr(DNS_PACKETS_SAVED.name, saved)


def packets_of(family: int) -> int:
    """The packets that one question for a family costs, a pair of question and answer counted once."""
    return _BOTH_FAMILIES if family == socket.AF_UNSPEC else 1

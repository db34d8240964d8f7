"""The cache: at most one look-up in flight for each name, and none that a caller with a known name waits for long."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from baselib.concurrency import start_thread
from baselib.dns.answers import (
    FAILURE_SECONDS,
    FRESH_SECONDS,
    STALE_SECONDS,
    Address,
    Answer,
    Key,
    Resolver,
    asks_the_resolver,
)
from baselib.dns.tally import Result, Tally, packets_of

PATIENCE_SECONDS: Final = 0.3
"""How long a caller waits for a fresh address when it could have the last one."""

_MAXIMUM_ANSWERS: Final = 1024
_MAXIMUM_LOOKUPS: Final = 16


class _Lookup:
    """A question to the resolver that has not been answered yet."""

    __slots__ = ("answer", "done", "started")

    def __init__(self, started: float) -> None:
        self.started = started
        self.done = threading.Event()
        self.answer: Answer | None = None


class DnsCache:
    """Stands before a resolver with the same interface, `getaddrinfo`.

    An address is given for 5 s; from the fourth on, the next one is fetched by a thread, so that a name in use is never
    waited for. An older one is given only when the resolver fails or takes longer than `PATIENCE_SECONDS`, which each
    look-up costs once and not each caller.

    Args:
        resolver: What is asked, such as `socket.getaddrinfo` itself.
        clock: Seconds that never go back.
    """

    def __init__(self, resolver: Resolver, clock: Callable[[], float] = time.monotonic) -> None:
        self._resolver = resolver
        self._clock = clock
        self._answers: dict[Key, Answer] = {}
        self.after_fork()

    def after_fork(self) -> None:
        """Forget what only the parent has: its threads, and the lock that one of them may have held."""
        self._lock = threading.Lock()
        self._lookups: dict[Key, _Lookup] = {}
        self._tally = Tally()

    def getaddrinfo(
        self,
        host: Any,
        port: Any,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the interface of the standard library
        proto: int = 0,
        flags: int = 0,
    ) -> list[Address]:
        """What `socket.getaddrinfo` returns or raises."""
        key = (host, port, family, type, proto, flags)
        try:
            answer = self._answers.get(key)
        except TypeError:
            # A host that cannot be a key, such as a bytearray.
            return self._resolver(*key)
        if answer is not None and self._clock() < answer.refresh_from:
            next(self._tally.hits[packets_of(family)])
            return answer.give()
        return self._answer(key, answer, None)

    def resolve(self, key: Key, timeout: float) -> list[Address]:
        """The same, within a time.

        Args:
            key: The arguments of `getaddrinfo`.
            timeout: Seconds after which it gives up; the look-up goes on.

        Raises:
            TimeoutError: The resolver did not answer in time, and the name is not known.
            OSError: As `socket.getaddrinfo`.
        """
        return self._answer(key, self._answers.get(key), timeout)

    def tell(self) -> None:
        """Send the counts to the metrics."""
        with self._lock:
            self._tally.tell()

    def _answer(self, key: Key, answer: Answer | None, timeout: float | None) -> list[Address]:
        if answer is None and not asks_the_resolver(key[0], key[2], key[5]):
            return self._resolver(*key)
        now = self._clock()
        resting = answer is not None and now < answer.failed + FAILURE_SECONDS
        if answer is not None and now < answer.fresh_until:
            if now >= answer.refresh_from and not resting:
                self._look_up(key, now)
            next(self._tally.hits[packets_of(key[2])])
            return answer.give()
        stale = answer if answer is not None and answer.found and now - answer.asked < STALE_SECONDS else None
        if stale is not None and resting:
            self._count("stale")
            return stale.give()
        lookup = self._look_up(key, now)
        if lookup is None:
            fresh = None if stale or timeout is not None else self._ask(key, now)
        else:
            lookup.done.wait(timeout if stale is None else _patience(stale, lookup, now, timeout))
            fresh = lookup.answer
        if fresh is not None and (fresh.definite or stale is None):
            self._count("miss" if fresh.found else "failed")
            return fresh.give()
        if stale is not None:
            self._count("stale")
            return stale.give()
        self._count("failed")
        if lookup is None:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        raise TimeoutError("the resolver did not answer in time")

    def _count(self, result: Result) -> None:
        with self._lock:
            self._tally.add(result)

    def _look_up(self, key: Key, now: float) -> _Lookup | None:
        """The look-up in flight, a new one where there is none; None where no thread can be had for it."""
        with self._lock:
            lookup = self._lookups.get(key)
            if lookup is not None:
                return lookup
            lookup = _Lookup(now)
            known = self._answers.get(key)
            if known is not None and now < known.refresh_from:
                # Another caller's look-up has just ended.
                lookup.answer = known
                lookup.done.set()
                return lookup
            if len(self._lookups) >= _MAXIMUM_LOOKUPS:
                return None
            self._lookups[key] = lookup
        if start_thread(self._fly, key, lookup, name="baselib-dns") is None:
            with self._lock:
                self._lookups.pop(key, None)
            lookup.answer = self._ask(key, now)
            lookup.done.set()
        return lookup

    def _fly(self, key: Key, lookup: _Lookup) -> None:
        try:
            lookup.answer = self._ask(key, lookup.started)
            self.tell()
        finally:
            with self._lock:
                self._lookups.pop(key, None)
            lookup.done.set()

    def _ask(self, key: Key, started: float) -> Answer:
        try:
            answer = Answer(started, self._resolver(*key))
        except Exception as error:  # noqa: BLE001 - raised again for everybody who waits
            answer = Answer(started, None, error)
        if answer.kept:
            self._keep(key, answer)
        return answer

    def _keep(self, key: Key, answer: Answer) -> None:
        now = self._clock()
        if not answer.found:
            answer.fails_until(now + FAILURE_SECONDS)
        with self._lock:
            known = self._answers.get(key)
            if not answer.definite and known is not None and known.found and now - known.asked < STALE_SECONDS:
                known.failed = now
                return
            # The oldest is first, because a new answer goes to the end.
            self._answers.pop(key, None)
            while len(self._answers) >= _MAXIMUM_ANSWERS:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = answer


def _patience(stale: Answer, lookup: _Lookup, now: float, timeout: float | None) -> float:
    if now - stale.failed < FRESH_SECONDS:
        # It failed a moment ago: nobody waits for it to fail again.
        return 0.0
    rest = max(0.0, lookup.started + PATIENCE_SECONDS - now)
    return rest if timeout is None else min(rest, timeout)

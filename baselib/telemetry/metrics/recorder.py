"""The calls of `statsd.StatsClient`, with tags and histograms added; where their events go is the subclass's matter."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeAlias

from baselib.telemetry.metrics.events import MAXIMUM_WAITING, Event, Key, Kind, Tagged
from baselib.telemetry.metrics.timer import Timer

Tags: TypeAlias = Mapping[str, str]


class Recorder:
    """Turns calls into events.

    No call raises and none waits: what cannot be understood is counted in `lost`.

    Attributes:
        lost: How many metrics were not sent, by cause: `overflow` (too many at once), `unreachable` (nobody listens),
            `cardinality` (too many names) and `invalid` (a value that is no number).
    """

    lost: Counter[str]

    # What waits to be sent, and how long each of the two lists may become before the slow way is taken.
    _ones: list[Key]
    _events: list[Event]
    _room: int

    def incr(self, stat: str, count: float = 1, rate: float = 1, tags: Tags | None = None) -> None:
        """Add to a counter.

        Args:
            stat: The metric's name.
            count: How much.
            rate: The share of calls that are sent, from 0 to 1.
            tags: Tags of this metric.
        """
        try:
            if count == 1 and rate == 1:
                key = (stat, tuple(tags.items())) if tags else stat
                ones = self._ones
                if len(ones) < self._room:
                    ones.append(key)
                else:
                    self._put_one(key)
                return
        except Exception:  # noqa: BLE001 - a metric never fails its caller
            self.lost["invalid"] += 1
            return
        self._record("c", stat, count, rate, tags)

    def decr(self, stat: str, count: float = 1, rate: float = 1, tags: Tags | None = None) -> None:
        """Take from a counter; the arguments are those of `incr`."""
        try:
            count = -count
        except Exception:  # noqa: BLE001 - a metric never fails its caller
            self.lost["invalid"] += 1
            return
        self._record("c", stat, count, rate, tags)

    def timing(self, stat: str, delta: float | timedelta, rate: float = 1, tags: Tags | None = None) -> None:
        """Send a duration.

        Args:
            stat: The metric's name.
            delta: Milliseconds, or a timedelta.
            rate: The share of calls that are sent, from 0 to 1.
            tags: Tags of this metric.
        """
        self._record("ms", stat, delta, rate, tags)

    def timer(self, stat: str, rate: float = 1, tags: Tags | None = None) -> Timer:
        """A context manager and decorator that times what it surrounds.

        Args:
            stat: The metric's name.
            rate: The share of calls that are sent, from 0 to 1.
            tags: Tags of this metric.
        """
        return Timer(self, stat, rate, tags)

    def gauge(self, stat: str, value: float, rate: float = 1, delta: bool = False, tags: Tags | None = None) -> None:
        """Set a gauge, or change it by `value` when `delta` is true (Datadog's own agent knows no changes).

        Args:
            stat: The metric's name.
            value: What it is from now on, or by how much it changes.
            rate: The share of calls that are sent, from 0 to 1.
            delta: Whether `value` is a change.
            tags: Tags of this metric.
        """
        self._record("+g" if delta else "g", stat, value, rate, tags)

    def set(self, stat: str, value: Any, rate: float = 1, tags: Tags | None = None) -> None:
        """Count a value among the distinct values of a set; further arguments as for `incr`."""
        try:
            value = str(value)
        except Exception:  # noqa: BLE001 - the value's own code runs here
            self.lost["invalid"] += 1
            return
        self._record("s", stat, value, rate, tags)

    def histogram(self, stat: str, value: float, rate: float = 1, tags: Tags | None = None) -> None:
        """Send a value whose distribution matters, such as a size; further arguments as for `incr`."""
        self._record("h", stat, value, rate, tags)

    def observe(self, counter: Tagged, timer: Tagged, milliseconds: float) -> None:
        """Count something and send how long it took: `incr` and `timing` at the price of one.

        Args:
            counter: The counter; kept, so that the caller makes few of them and uses them again.
            timer: The timer; likewise.
            milliseconds: How long it took.
        """
        events = self._events
        if len(events) < self._room:
            self._ones.append(counter)
            events.append(("ms", timer, milliseconds, 1))
        else:
            self._put_one(counter)
            self._put_event(("ms", timer, milliseconds, 1))

    def pipeline(self) -> "Pipeline":
        """A client whose metrics leave together."""
        return Pipeline(self)

    def _record(self, kind: Kind, stat: str, value: Any, rate: float, tags: Tags | None) -> None:
        try:
            if rate < 1 and random.random() >= rate:  # noqa: S311
                return
            event: Event = (kind, (stat, tuple(tags.items())) if tags else stat, value, rate)
        except Exception:  # noqa: BLE001 - a metric never fails its caller
            self.lost["invalid"] += 1
            return
        events = self._events
        if len(events) < self._room:
            events.append(event)
        else:
            self._put_event(event)

    def _put_one(self, key: Key) -> None:
        self._put([key], [])

    def _put_event(self, event: Event) -> None:
        self._put([], [event])

    def _put(self, ones: list[Key], events: list[Event]) -> None:
        """Take what the callers could not append themselves."""
        raise NotImplementedError


class Pipeline(Recorder):
    """Collects metrics until `send`, or until the end of its `with` block.

    Args:
        client: Where they then go; another pipeline, and they leave with it.
    """

    def __init__(self, client: Recorder) -> None:
        self._client = client
        self._ones = []
        self._events = []
        self._room = MAXIMUM_WAITING
        self.lost = client.lost

    def send(self) -> None:
        """Send what was collected."""
        ones, events, self._ones, self._events = self._ones, self._events, [], []
        if ones or events:
            self._client._put(ones, events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.send()

    def _put(self, ones: list[Key], events: list[Event]) -> None:
        free = MAXIMUM_WAITING - max(len(self._ones), len(self._events))
        self._ones.extend(ones[:free])
        self._events.extend(events[:free])
        if lost := len(ones[free:]) + len(events[free:]):
            self.lost["overflow"] += lost

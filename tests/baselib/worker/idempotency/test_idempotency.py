"""Idempotency around a handler: once in the window, and what happens when something fails."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from baselib.telemetry import Span, observed
from baselib.testing import CapturedLogs
from baselib.worker.idempotency import DynamoDBStore, Hold, Idempotency, MemoryStore, Record, Store
from baselib.worker.message import Message, Reject, Retry
from tests.baselib.worker.idempotency.conftest import SETTINGS, message_of

SECONDS = 60.0
WINDOW = 3600.0


@dataclass
class Clock:
    """The time, as every process sees it."""

    now: float = 1_800_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr("baselib.worker.idempotency.idempotency.time", made)
    monkeypatch.setattr("baselib.worker.idempotency.hold.time", made)
    return made  # type: ignore[return-value]


class Handler:
    """Keeps what it was called with, and raises what it is told to."""

    def __init__(self) -> None:
        self.calls: list[Message[object]] = []
        self.error: BaseException | None = None

    def __call__(self, message: Message[object]) -> str:
        self.calls.append(message)
        if self.error is not None:
            raise self.error
        return "ignored"


class BrokenStore(MemoryStore):
    """A store that cannot be reached while it is broken."""

    broken = False

    def put(self, key: str, record: Record, now: float) -> Record | None:
        if self.broken:
            raise ConnectionError("no store")
        return super().put(key, record, now)

    def remove(self, key: str, holder: str) -> None:
        if self.broken:
            raise ConnectionError("no store")
        super().remove(key, holder)


def configured(store: Store, **options: object) -> Idempotency:
    """As the worker does it."""
    made = Idempotency(store, window=WINDOW, **options)  # type: ignore[arg-type]
    made.configure(SETTINGS)
    return made


def test_a_duplicate_is_not_handled_within_the_window(
    store: Store, clock: Clock, captured_metrics: list[str], captured_logs: CapturedLogs
) -> None:
    idempotency, handler = configured(store), Handler()
    assert idempotency.run(message_of(), handler, seconds=SECONDS)
    clock.now += WINDOW - 1
    assert not idempotency.run(message_of(receive_count=2), handler, seconds=SECONDS)
    assert len(handler.calls) == 1
    assert [line for line in captured_metrics if "messages." in line] == ["test.messages.duplicates:1|c|#queue:main"]
    assert captured_logs.one("handled before")["message_id"] == "m-1"


def test_a_duplicate_is_handled_after_the_window(store: Store, clock: Clock) -> None:
    idempotency, handler = configured(store), Handler()
    assert idempotency.run(message_of(), handler, seconds=SECONDS)
    clock.now += WINDOW
    assert idempotency.run(message_of(), handler, seconds=SECONDS)
    assert len(handler.calls) == 2


def test_the_window_begins_when_the_work_is_done(clock: Clock) -> None:
    idempotency = configured(MemoryStore())

    def slow(_: Message[object]) -> None:
        clock.now += SECONDS - 1

    assert idempotency.run(message_of(), slow, seconds=SECONDS)
    clock.now += WINDOW - 1
    assert not idempotency.run(message_of(), slow, seconds=SECONDS)


def test_by_default_the_window_covers_all_that_sqs_can_deliver_again(clock: Clock) -> None:
    idempotency, handler = Idempotency(MemoryStore()), Handler()
    idempotency.configure(SETTINGS)
    idempotency.run(message_of(), handler, seconds=SECONDS)
    clock.now += 14 * 86_400 - 1
    assert not idempotency.run(message_of(), handler, seconds=SECONDS)


def test_messages_queues_and_services_do_not_share_a_key() -> None:
    store, handler = MemoryStore(), Handler()
    idempotency = configured(store)
    other = Idempotency(store)
    other.configure(SETTINGS.__class__(product="duolingo", service="mailer", owner="platform"))
    for each, message in [
        (idempotency, message_of()),
        (idempotency, message_of(id="m-2")),
        (idempotency, message_of(queue="invoices")),
        (other, message_of()),
    ]:
        assert each.run(message, handler, seconds=SECONDS)
    assert min(store._records) == "idempotency#duolingo-api#invoices#m-1"


def test_a_key_of_the_service_recognises_a_message_that_was_sent_twice(store: Store) -> None:
    idempotency, handler = configured(store, key=lambda message: len(message.body)), Handler()
    assert idempotency.run(message_of("[1]"), handler, seconds=SECONDS)
    assert not idempotency.run(message_of("[1]", id="m-2"), handler, seconds=SECONDS)
    assert idempotency.run(message_of("[1,2]", id="m-3"), handler, seconds=SECONDS)


@pytest.mark.parametrize("key", ["", None])
def test_a_message_without_a_key_is_rejected(key: str | None) -> None:
    handler = Handler()
    with pytest.raises(Reject, match="no idempotency key"):
        configured(MemoryStore(), key=lambda _: key).run(message_of(), handler, seconds=SECONDS)
    assert handler.calls == []


def test_a_known_key_with_another_body_is_rejected(store: Store) -> None:
    idempotency, handler = configured(store, key=lambda _: "order"), Handler()
    assert idempotency.run(message_of('{"cents": 1, "to": "a"}'), handler, seconds=SECONDS)
    assert not idempotency.run(message_of('{"to":"a","cents":1}'), handler, seconds=SECONDS)
    with pytest.raises(Reject, match="another body"):
        idempotency.run(message_of('{"cents": 2}'), handler, seconds=SECONDS)
    assert len(handler.calls) == 1
    # The record is as it was.
    assert not idempotency.run(message_of('{"cents": 1, "to": "a"}'), handler, seconds=SECONDS)


def test_the_body_is_not_compared_where_the_service_does_not_want_it(store: Store) -> None:
    idempotency, handler = configured(store, key=lambda _: "order", check_body=False), Handler()
    assert idempotency.run(message_of("1"), handler, seconds=SECONDS)
    assert not idempotency.run(message_of("2"), handler, seconds=SECONDS)


def test_the_body_is_not_compared_where_sqs_names_the_message(store: Store) -> None:
    # It is always the same; but a model of another release may make something else of it.
    idempotency, handler = configured(store), Handler()
    assert idempotency.run(message_of("1"), handler, seconds=SECONDS)
    assert not idempotency.run(message_of("2"), handler, seconds=SECONDS)


def test_an_event_that_sns_or_eventbridge_delivers_twice_is_one(store: Store) -> None:
    idempotency, handler = configured(store), Handler()
    assert idempotency.run(replace(message_of(), event_id="e-1"), handler, seconds=SECONDS)
    assert not idempotency.run(replace(message_of(id="m-2"), event_id="e-1"), handler, seconds=SECONDS)
    assert idempotency.run(message_of(id="m-2"), handler, seconds=SECONDS)


@pytest.mark.parametrize(
    "error", [ValueError("no"), Reject("never"), Retry("later"), SystemExit(1), KeyboardInterrupt()]
)
def test_failed_work_may_be_done_again_at_once(store: Store, error: BaseException) -> None:
    idempotency, handler = configured(store), Handler()
    handler.error = error
    with pytest.raises(type(error)):
        idempotency.run(message_of(), handler, seconds=SECONDS)
    handler.error = None
    assert idempotency.run(message_of(), handler, seconds=SECONDS)
    assert len(handler.calls) == 2


def test_work_under_way_is_not_begun_by_another_until_its_time_is_over(store: Store, clock: Clock) -> None:
    # Two processes; the first is killed.
    first, second, handler = configured(store), configured(store), Handler()
    assert first.begin(message_of(), seconds=SECONDS) is not None
    clock.now += 10.25
    with pytest.raises(Retry) as retry:
        second.run(message_of(receive_count=2), handler, seconds=SECONDS)
    assert retry.value.delay == 50
    assert handler.calls == []
    clock.now += retry.value.delay
    assert second.run(message_of(receive_count=3), handler, seconds=SECONDS)


def test_another_body_waits_while_the_first_may_still_fail(clock: Clock) -> None:
    idempotency, handler = configured(MemoryStore(), key=lambda _: "order"), Handler()
    hold = idempotency.begin(message_of("1"), seconds=SECONDS)
    with pytest.raises(Retry):
        idempotency.run(message_of("2"), handler, seconds=SECONDS)
    assert hold is not None
    hold.release()
    assert idempotency.run(message_of("2"), handler, seconds=SECONDS)


def test_a_delay_is_never_nothing(clock: Clock) -> None:
    idempotency = configured(MemoryStore())
    idempotency.begin(message_of(), seconds=0.5)
    clock.now += 0.999
    with pytest.raises(Retry) as retry:
        idempotency.begin(message_of(), seconds=SECONDS)
    assert retry.value.delay == 1


def test_an_extended_hold_keeps_others_away(store: Store, clock: Clock) -> None:
    idempotency = configured(store)
    hold = idempotency.begin(message_of(), seconds=SECONDS)
    assert hold is not None
    for _ in range(5):
        clock.now += SECONDS - 1
        assert hold.extend(SECONDS)
    clock.now += SECONDS - 1
    with pytest.raises(Retry):
        idempotency.begin(message_of(), seconds=SECONDS)
    # Late, but nobody has begun.
    clock.now += SECONDS
    assert hold.extend(SECONDS)
    hold.finish()
    assert idempotency.begin(message_of(), seconds=SECONDS) is None


def test_a_finished_or_released_hold_is_not_extended(store: Store) -> None:
    idempotency = configured(store)
    hold = idempotency.begin(message_of(), seconds=SECONDS)
    assert hold is not None
    hold.finish()
    assert not hold.extend(SECONDS)
    assert idempotency.begin(message_of(), seconds=SECONDS) is None
    released = idempotency.begin(message_of(id="m-2"), seconds=SECONDS)
    assert released is not None
    released.release()
    assert not released.extend(SECONDS)
    assert idempotency.begin(message_of(id="m-2"), seconds=SECONDS) is not None


def test_a_holder_that_overslept_neither_ends_nor_removes_the_next_ones_work(
    store: Store, clock: Clock, captured_logs: CapturedLogs
) -> None:
    idempotency = configured(store)
    late = idempotency.begin(message_of(), seconds=SECONDS)
    clock.now += SECONDS
    next_one = idempotency.begin(message_of(receive_count=2), seconds=SECONDS)
    assert late is not None
    assert next_one is not None
    assert not late.extend(SECONDS)
    late.finish()
    captured_logs.one("the work took longer than its record was held: somebody else has begun with it too")
    late.release()
    with pytest.raises(Retry):
        idempotency.begin(message_of(), seconds=SECONDS)
    next_one.finish()
    assert idempotency.begin(message_of(), seconds=SECONDS) is None


def test_nothing_is_done_while_the_store_cannot_be_asked() -> None:
    store, handler = BrokenStore(), Handler()
    store.broken = True
    with pytest.raises(ConnectionError):
        configured(store).run(message_of(), handler, seconds=SECONDS)
    assert handler.calls == []


def test_done_work_stays_done_when_the_store_fails_then(clock: Clock) -> None:
    store, handler = BrokenStore(), Handler()
    idempotency = configured(store)

    def breaks(message: Message[object]) -> None:
        handler(message)
        store.broken = True

    # No error: the message is deleted.
    assert idempotency.run(message_of(), breaks, seconds=SECONDS)
    store.broken = False
    # The named window: a duplicate waits for the end of the hold, and repeats the work then.
    with pytest.raises(Retry):
        idempotency.run(message_of(), handler, seconds=SECONDS)
    clock.now += SECONDS
    assert idempotency.run(message_of(), handler, seconds=SECONDS)
    assert len(handler.calls) == 2


def test_the_handlers_own_error_is_raised_when_the_store_fails_too(clock: Clock) -> None:
    store = BrokenStore()
    idempotency = configured(store)

    def breaks(_: Message[object]) -> None:
        store.broken = True
        raise ValueError("the handler's")

    with pytest.raises(ValueError, match="the handler's"):
        idempotency.run(message_of(), breaks, seconds=SECONDS)
    store.broken = False
    clock.now += SECONDS
    assert idempotency.run(message_of(), Handler(), seconds=SECONDS)


def test_a_failed_extension_is_told_and_ends_nothing() -> None:
    store = BrokenStore()
    hold = configured(store).begin(message_of(), seconds=SECONDS)
    assert hold is not None
    store.broken = True
    with pytest.raises(ConnectionError):
        hold.extend(SECONDS)
    store.broken = False
    assert hold.extend(SECONDS)


def test_done_work_is_recorded_when_the_messages_time_is_over(table: str) -> None:
    idempotency = configured(DynamoDBStore())

    def late(_: Message[object]) -> None:
        span.deadline = time.monotonic() - 1

    span = Span("message", "main", budget=SECONDS)
    with observed(span, ()):
        assert idempotency.run(message_of(), late, seconds=SECONDS)
    assert idempotency.begin(message_of(), seconds=SECONDS) is None


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_times_that_are_none_are_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="window is"):
        Idempotency(MemoryStore(), window=seconds)
    with pytest.raises(ValueError, match="seconds is"):
        configured(MemoryStore()).begin(message_of(), seconds=seconds)


def test_without_a_service_there_are_no_keys() -> None:
    with pytest.raises(LookupError, match="not configured"):
        Idempotency(MemoryStore()).begin(message_of(), seconds=SECONDS)


def test_of_threads_that_begin_at_once_one_does(store: Store) -> None:
    handler, outcomes = Handler(), []
    barrier = threading.Barrier(8)

    def race(idempotency: Idempotency) -> None:
        for number in range(20):
            barrier.wait(30)
            try:
                outcomes.append(idempotency.run(message_of(id=f"m-{number}"), handler, seconds=SECONDS))
            except Retry:
                outcomes.append(False)

    threads = [threading.Thread(target=race, args=(configured(store),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == 160
    assert sorted(message.id for message in handler.calls) == sorted(f"m-{number}" for number in range(20))


class Account:
    """A plain account of who holds until when, to compare with what the holds say.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._idempotency = configured(MemoryStore())
        # Also those whose time was over long ago, as after a pause of the whole process.
        self.holds: list[Hold] = []
        self._holder: Hold | None = None
        self._until = self._done_until = 0.0

    @property
    def _held(self) -> bool:
        return self._holder is not None and self._clock.now < self._until

    @property
    def _done(self) -> bool:
        return self._clock.now < self._done_until

    def begin(self) -> None:
        found: Hold | Retry | None
        try:
            found = self._idempotency.begin(message_of(), seconds=SECONDS)
        except Retry as retry:
            found = retry
        if self._done:
            assert found is None
        elif self._held:
            assert isinstance(found, Retry)
            assert found.delay == self._until - self._clock.now
        else:
            assert isinstance(found, Hold)
            self._holder, self._until = found, self._clock.now + SECONDS
            self.holds.append(found)

    def extend(self, hold: Hold) -> None:
        allowed = hold is self._holder or not (self._done or self._held)
        assert hold.extend(SECONDS) == allowed
        if allowed:
            self._holder, self._until = hold, self._clock.now + SECONDS

    def finish(self, hold: Hold) -> None:
        self.holds.remove(hold)
        hold.finish()
        if hold is self._holder or not (self._done or self._held):
            self._holder, self._done_until = None, self._clock.now + WINDOW

    def release(self, hold: Hold) -> None:
        self.holds.remove(hold)
        hold.release()
        if hold is self._holder:
            self._holder = None


@pytest.mark.parametrize("seed", range(100))
def test_one_at_a_time_and_never_after_it_is_done_in_any_order_of_events(clock: Clock, seed: int) -> None:
    chosen, account = random.Random(seed), Account(clock)
    for _ in range(60):
        clock.now += chosen.choice([0.0, 5.0, SECONDS / 2, SECONDS, WINDOW / 4])
        action = chosen.choice([None, None, account.extend, account.finish, account.release])
        if action is None:
            account.begin()
        elif account.holds:
            action(chosen.choice(account.holds))

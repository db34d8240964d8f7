"""Handlers that take longer than they may."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import pytest

from baselib.testing import sqs_message
from baselib.worker.engine.lease import Lease
from baselib.worker.watch import Watch
from tests.baselib.processes import PATIENCE_SECONDS

if TYPE_CHECKING:
    from baselib.worker.engine.consumer import Consumer


class _Consumer:
    name = "main"

    def __init__(self, *leases: Lease) -> None:
        self.leases: Sequence[Lease] = leases

    def overdue(self) -> Sequence[Lease]:
        return self.leases


def _watch(consumer: _Consumer, threads: int) -> Watch:
    return Watch([cast("Consumer", consumer)], threads)


def _lease(thread: int | None) -> Lease:
    lease = Lease.for_test(sqs_message("text"))
    lease.thread = thread
    return lease


def test_each_is_told_once_with_where_it_hangs(caplog: pytest.LogCaptureFixture, captured_metrics: list[str]) -> None:
    released = threading.Event()

    def hang_here() -> None:
        released.wait(PATIENCE_SECONDS)

    thread = threading.Thread(target=hang_here)
    thread.start()
    lease = _lease(thread.ident)
    watch = _watch(_Consumer(lease), 4)
    watch.look()
    watch.look()
    released.set()
    thread.join()
    (record,) = caplog.records
    assert record.getMessage() == "a handler takes longer than its limit"
    assert record.__dict__["message_id"] == lease.raw["MessageId"]
    assert record.__dict__["queue"] == "main"
    assert "hang_here" in record.__dict__["stack"]
    assert captured_metrics == ["test.messages.hung:1|c|#queue:main"]


def test_a_thread_that_has_gone_has_no_stack(caplog: pytest.LogCaptureFixture) -> None:
    _watch(_Consumer(_lease(None)), 4).look()
    assert caplog.records[0].__dict__["stack"] is None


def test_the_worker_is_alive_while_a_thread_is_left() -> None:
    consumer = _Consumer(_lease(1))
    assert _watch(consumer, 2).alive
    consumer.leases = [_lease(1), _lease(2)]
    assert not _watch(consumer, 2).alive
    consumer.leases = []
    assert _watch(consumer, 2).alive


def test_a_late_batch_holds_one_thread() -> None:
    assert _watch(_Consumer(*(_lease(1) for _ in range(10))), 4).alive


def test_a_worker_without_a_queue_is_alive() -> None:
    assert Watch([], 4).alive

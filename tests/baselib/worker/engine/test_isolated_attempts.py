"""The last attempt at a message is made where it can harm nothing else."""

from collections.abc import Sequence

import pytest

from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import DONE, Verdict
from tests.baselib.processes import until
from tests.baselib.worker.engine.fake_queue import FakeQueue, Work, consuming, names


class _Isolated:
    def __init__(self, source: FakeQueue) -> None:
        self._source = source
        self.handled: list[str] = []

    def __call__(self, leases: Sequence[Lease]) -> list[Verdict]:
        (lease,) = leases
        self.handled.append(lease.raw["MessageId"])
        self._source.finished.add(lease.raw["MessageId"])
        return [DONE]


@pytest.mark.parametrize("batch", [1, 10])
def test_only_the_last_of_several_attempts_is_isolated(batch: int) -> None:
    source = FakeQueue(names=names(6), receives_allowed=5)
    for name, received in (("message-1", 4), ("message-4", 3)):
        source.stored[name].received = received
    work, isolated = Work(source), _Isolated(source)
    with consuming(source, work, isolated=isolated, batch=batch):
        until(lambda: not source.stored, "everything is deleted")
    # The queue's dead-letter queue takes what was received more often than five times.
    assert isolated.handled == ["message-1"]
    assert sorted(work.begun) == [name for name in names(6) if name != "message-1"]


def test_the_only_attempt_is_not_isolated() -> None:
    source = FakeQueue(names=names(3), receives_allowed=1)
    work, isolated = Work(source), _Isolated(source)
    with consuming(source, work, isolated=isolated):
        until(lambda: not source.stored, "everything is deleted")
    assert isolated.handled == []
    assert len(work.begun) == 3

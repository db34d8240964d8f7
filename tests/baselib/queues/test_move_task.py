"""SQS's own task, as it is listed."""

from types import SimpleNamespace
from typing import Any

import pytest

from baselib.queues.move_task import MoveTask
from tests.baselib.queues.conftest import Queue
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault


def test_an_earlier_task_is_not_taken_for_one_that_is_not_listed_yet() -> None:
    listed: list[dict[str, Any]] = [{"StartedTimestamp": 1, "Status": "COMPLETED"}]
    client = SimpleNamespace(
        list_message_move_tasks=lambda **_: {"Results": listed},
        start_message_move_task=lambda **_: {"TaskHandle": "handle"},
    )
    queue: Any = SimpleNamespace(client=client, arn="arn", name="orders")
    task = MoveTask.start(queue, queue, None)
    assert task.state() is None
    listed.insert(0, {"StartedTimestamp": 2, "Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 5})
    state = task.state()
    assert state is not None
    assert (state.started, state.moved, state.under_way) == (2, 5, True)


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.UnsupportedOperation", "AccessDeniedException"])
def test_where_sqs_does_not_do_it(stub: Stub, name: str, queue: Queue, code: str) -> None:
    stub.make_queue_with_dead_letters(name)
    stub.fill(f"{name}-dead", 3)
    stub.set_faults(Fault("error", actions=("StartMessageMoveTask",), status=400, code=code))
    ran = queue("redrive", f"{name}-dead", "--yes", "--json")
    assert (ran.code, ran.document["method"], ran.document["moved"]) == (0, "batches", 3)


def test_a_queue_that_is_nobodys_dead_letter_queue_is_moved_in_batches(stub: Stub, name: str, queue: Queue) -> None:
    stub.fill(stub.make_queue(name), 3)
    stub.make_queue(f"{name}-2")
    ran = queue("redrive", name, "--to", f"{name}-2", "--yes", "--json")
    assert (ran.code, ran.document["method"], ran.document["moved"]) == (0, "batches", 3)

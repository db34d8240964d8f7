"""Handlers in processes of their own."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from baselib.testing import sqs_message
from baselib.worker import Outcome
from baselib.worker.engine.lease import Lease
from baselib.worker.engine.outcome import DONE, Verdict
from baselib.worker.processes import isolation as isolation_module
from baselib.worker.processes import parent
from baselib.worker.processes.isolation import Isolation
from baselib.worker.processes.parent import Processes
from tests.baselib.processes import alive, until

LOCATION = "tests.baselib.worker.processes.program:worker"
Handle = Callable[[Sequence[Lease]], list[Verdict]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(parent, "_GRACE_SECONDS", 0.2)


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes(LOCATION)
    yield made
    made.close()
    assert made.ids == []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pid"


def _lease(body: str, file: Path) -> Lease:
    return Lease.for_test(sqs_message(body, file=str(file)))


def test_the_handler_runs_in_another_process_and_again_in_the_same(processes: Processes, file: Path) -> None:
    handle = processes.handling(None, None)
    assert handle([_lease("work", file)]) == [DONE]
    first = int(file.read_text())
    assert first != os.getpid()
    assert processes.ids == [first]
    assert handle([_lease("reject", file)]) == [Verdict(Outcome.REJECTED, None, "never")]
    assert int(file.read_text()) == first


def test_each_thread_has_a_process(processes: Processes, tmp_path: Path) -> None:
    handle = processes.handling(None, None)
    barrier = threading.Barrier(2)

    def work(number: int) -> str:
        barrier.wait(30)
        file = tmp_path / str(number)
        assert handle([_lease("work", file)]) == [DONE]
        return file.read_text()

    with ThreadPoolExecutor(2) as pool:
        found = set(pool.map(work, range(2)))
    assert {int(each) for each in found} == set(processes.ids)
    assert len(found) == 2


@pytest.mark.parametrize(("body", "told"), [("kill", "signal 9"), ("exit", "exit code 3")])
def test_a_message_whose_process_died_comes_again_and_there_is_a_new_process(
    processes: Processes, file: Path, caplog: pytest.LogCaptureFixture, body: str, told: str
) -> None:
    handle = processes.handling(None, None)
    lease = _lease(body, file)
    assert handle([lease]) == [Verdict(Outcome.RETRIED, None, told)]
    died = int(file.read_text())
    (record,) = [record for record in caplog.records if record.getMessage() == "the handler's process died"]
    assert record.__dict__["reason"] == told
    assert record.__dict__["message_ids"] == [lease.raw["MessageId"]]
    assert handle([_lease("work", file)]) == [DONE]
    assert int(file.read_text()) != died
    assert not alive(died)
    assert len(processes.ids) == 1


def test_a_handler_that_hangs_is_ended_at_its_limit(processes: Processes, file: Path) -> None:
    handle = processes.handling(None, 0.2)
    # A process that is ready, so that the limit is that of the handler.
    assert processes.handling(None, None)([_lease("work", file)]) == [DONE]
    (hung,) = processes.ids
    (verdict,) = handle([_lease("hang", file)])
    assert verdict.outcome is Outcome.RETRIED
    assert "longer than 0.2 s" in verdict.reason
    assert not alive(hung)


def test_a_service_that_cannot_be_imported_costs_a_retry(file: Path) -> None:
    processes = Processes("tests.no_such_module:worker")
    (verdict,) = processes.handling(None, None)([_lease("work", file)])
    assert verdict == Verdict(Outcome.RETRIED, None, "exit code 1")
    assert processes.ids == []
    processes.close()


def test_the_end_of_the_worker_ends_the_processes_also_those_that_hang(file: Path) -> None:
    processes = Processes(LOCATION)
    handle = processes.handling(None, None)
    found: list[Verdict] = []
    thread = threading.Thread(target=lambda: found.extend(handle([_lease("hang", file)])), daemon=True)
    thread.start()
    until(lambda: file.exists() and file.read_text(), "it hangs")
    process = int(file.read_text())
    processes.close()
    assert not alive(process)
    # A thread that comes later gets no process any more.
    (verdict,) = handle([_lease("work", file)])
    assert verdict.outcome is Outcome.RETRIED


def test_what_is_due_after_the_deletion_comes_back_from_the_process(processes: Processes, file: Path) -> None:
    lease = _lease("clean-up", file)
    assert processes.handling(None, None)([lease]) == [DONE]
    assert lease.on_deleted is not None
    lease.on_deleted()
    assert file.read_text() == "cleaned up"


def test_the_handler_learns_what_remains_of_its_limit(processes: Processes, file: Path) -> None:
    lease = _lease("remaining", file)
    lease.finish_by(time.monotonic() + 50)
    assert processes.handling(None, 60.0)([lease]) == [DONE]
    assert 0 < float(file.read_text()) <= 50


def _nobody(_: Sequence[Lease]) -> list[Verdict]:
    raise AssertionError("it is handled without isolation")


def test_where_another_is_isolated_for_long_a_message_is_handled_as_others_are(
    processes: Processes, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation_module, "_PATIENCE_SECONDS", 0.01)
    isolation = Isolation(processes)
    with isolation._lock:
        verdicts = isolation.handling(None, None, lambda leases: [DONE] * len(leases))([_lease("kill", file)])
    assert verdicts == [DONE]
    assert processes.ids == []


def test_in_isolation_each_message_has_a_fresh_process_and_one_has_it_at_a_time(
    processes: Processes, tmp_path: Path
) -> None:
    handle = Isolation(processes).handling(None, None, _nobody)
    files = [tmp_path / str(number) for number in range(3)]
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(lambda file: list(handle([_lease("work", file)])), files)) == [[DONE]] * 3
    ids = {int(file.read_text()) for file in files}
    assert len(ids) == 3
    assert not any(alive(each) for each in ids)
    assert processes.ids == []


def test_what_dies_in_isolation_harms_nobody(processes: Processes, file: Path) -> None:
    (verdict,) = Isolation(processes).handling(None, None, _nobody)([_lease("kill", file)])
    assert verdict == Verdict(Outcome.RETRIED, None, "signal 9")
    assert processes.ids == []

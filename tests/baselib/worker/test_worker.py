"""How a worker is declared; wrong declarations are refused with what is accepted."""

import signal
import sys
import types
from typing import Any

import pytest

from baselib.contract import ConfigurationError
from baselib.lifecycle import Life
from baselib.testing import sqs_message
from baselib.worker import Worker
from baselib.worker.idempotency import Idempotency, MemoryStore
from tests.baselib.processes import IDENTITY

ENVIRONMENT = {**IDENTITY, "SERVICE_NAME": "mailer", "QUEUE_URL": "http://127.0.0.1:9/1/main"}
BULK = {**ENVIRONMENT, "QUEUE_BULK_URL": "http://127.0.0.1:9/1/bulk"}


def _worker(register: Any, environ: Any = ENVIRONMENT, **more: Any) -> Worker:
    return Worker(register, environ=environ, life=Life(), **more)


def test_each_queue_has_its_own_handler() -> None:
    seen: list[str] = []

    def register(worker: Worker) -> None:
        worker.handle(lambda message: seen.append(f"main {message.queue}"))
        worker.handle(lambda message: seen.append(f"bulk {message.queue}"), queue="bulk")

    worker = _worker(register, BULK, queues=["bulk"])
    worker.handle_raw(sqs_message("text"), "bulk")
    worker.handle_raw(sqs_message("text"))
    assert seen == ["bulk bulk", "main main"]


def test_a_handler_for_a_queue_that_was_not_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="'bulk' is not declared"):
        _worker(lambda worker: worker.handle(print, queue="bulk"))


def test_a_second_handler_for_a_queue_is_refused() -> None:
    def register(worker: Worker) -> None:
        worker.handle(print)
        worker.handle(print)

    with pytest.raises(ValueError, match="'main' has a handler already"):
        _worker(register)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"threads": 0}, "threads is 0: accepted is 1 to 256"),
        ({"threads": 257}, "threads is 257"),
        ({"processes": -1}, "processes is -1: accepted is 0 to 256"),
        ({"visibility": 0}, "visibility is 0: accepted is 1 to 43200"),
        ({"visibility": 43_201}, "visibility is 43201"),
    ],
)
def test_a_number_out_of_its_bounds_is_refused(more: dict[str, int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        _worker(lambda worker: worker.handle(print), **more)


@pytest.mark.parametrize("more", [{"every": -1}, {"every": 1, "limit": 0}])
def test_a_loop_with_odd_numbers_is_refused(more: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="every and limit are"):
        _worker(lambda worker: worker.loop(print, **more), queue=False)


@pytest.mark.parametrize(
    "more", [{"every": float("nan")}, {"every": float("inf")}, {"every": 1, "limit": float("nan")}]
)
def test_a_loop_with_numbers_that_are_none_is_refused(more: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="every and limit are"):
        _worker(lambda worker: worker.loop(print, **more), queue=False)


def test_two_loops_of_one_name_are_refused() -> None:
    def register(worker: Worker) -> None:
        worker.loop(print, every=1)
        worker.keep_running(print)

    with pytest.raises(ValueError, match="there is a loop 'print' already"):
        _worker(register, queue=False)


def test_a_loop_may_be_named() -> None:
    def register(worker: Worker) -> None:
        worker.loop(print, every=1)
        worker.keep_running(print, name="other")

    assert [loop.name for loop in _worker(register, queue=False).loops] == ["print", "other"]


def test_with_processes_idempotency_needs_a_limit() -> None:
    def register(worker: Worker) -> None:
        worker.handle(print, idempotency=Idempotency(MemoryStore()))

    with pytest.raises(ValueError, match="with processes, idempotency needs a limit"):
        _worker(register, processes=1)


def test_a_worker_without_a_handler_does_not_run() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ValueError, match="no handler for main"):
        _worker(lambda _: None).run("127.0.0.1")
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_worker_with_nothing_to_do_does_not_run() -> None:
    with pytest.raises(ValueError, match="nothing to do"):
        _worker(lambda _: None, queue=False).run("127.0.0.1")


def test_a_worker_without_its_queue_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="QUEUE_URL is not set"):
        _worker(lambda _: None, {**ENVIRONMENT, "QUEUE_URL": ""})


def test_a_message_of_a_queue_without_a_handler_is_an_error() -> None:
    with pytest.raises(ValueError, match="bulk"):
        _worker(lambda worker: worker.handle(print)).handle_raw(sqs_message("text"), "bulk")


def test_processes_import_a_worker_from_where_it_is_a_global(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = _worker(lambda worker: worker.handle(print))
    with pytest.raises(ValueError, match="a global of a module"):
        _ = worker.location
    module = types.ModuleType("somewhere")
    module.__dict__["here"] = worker
    monkeypatch.setitem(sys.modules, "somewhere", module)
    assert worker.location == "somewhere:here"

"""The board by itself, and the gauges of a service as a process."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from baselib.telemetry import metrics
from baselib.testing import StatsdReceiver
from baselib.web.board import Board, BoardReporter
from tests.baselib.processes import Launch, until
from tests.baselib.web.served import SOURCE, Client, Served


def test_a_slot_is_used_again_and_then_it_is_clear() -> None:
    board = Board(slots=2)
    assert (board.free_slot([]), board.free_slot([0]), board.free_slot([0, 1])) == (0, 1, None)
    board.write(0, 5)
    assert board.free_slot([1]) == 0
    assert board.read(0) == 0


def test_what_a_child_writes_is_read_by_its_parent() -> None:
    board = Board(slots=2)
    child = os.fork()
    if child == 0:
        board.write(1, 7)
        os._exit(0)
    os.waitpid(child, 0)
    assert board.read(1) == 7


def test_the_gauges_are_those_of_the_workers_that_live(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    metrics.configure(lines.append)
    board = Board(slots=4)
    board.write(0, 7)
    board.write(1, 1)
    board.write(2, 3)
    workers = {11: SimpleNamespace(slot=0), 12: SimpleNamespace(slot=1), 13: SimpleNamespace(slot=None)}
    BoardReporter(board, threads=4).send(SimpleNamespace(WORKERS=workers))
    assert "\n".join(lines).split("\n") == ["workers:3|g", "requests.in_flight:8|g", "threads.busy:5|g"]


def test_a_service_sends_its_gauges(tmp_path: Path, launch: Launch) -> None:
    often = """
    from baselib.telemetry import metrics
    metrics._sender._sample_seconds = 0.1
    """
    source = SOURCE + often
    with StatsdReceiver() as statsd:
        served = Served(tmp_path, launch, source, WEB_CONCURRENCY="2", WEB_THREADS="1", **statsd.environment)
        with Client(served.port, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n") as slow:
            served.begun()
            until(lambda: [line for line in statsd.lines if "api.workers:2|g" in line], "the workers")
            until(lambda: [line for line in statsd.lines if "requests.in_flight:1|g" in line], "the requests")
            until(lambda: [line for line in statsd.lines if "threads.busy:1|g" in line], "the threads")
            until(lambda: [line for line in statsd.lines if "api.process.cpu:" in line], "the CPU of the processes")
            served.let_go()
            assert slow.answer()[0] == 200
        seen = len(statsd.lines)
        until(lambda: [line for line in statsd.lines[seen:] if "requests.in_flight:0|g" in line], "none is left")

"""What processes use, against what the operating system says of real ones."""

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from baselib.telemetry import process as module
from baselib.telemetry.metrics import MetricsClient
from baselib.telemetry.process import CollectionMetrics, ProcessMetrics
from tests.baselib.processes import until

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")


class _World:
    """A client and its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.metrics = MetricsClient(self.lines.append)

    def values(self) -> dict[str, float]:
        values = {line.partition(":")[0]: float(line.partition(":")[2].partition("|")[0]) for line in self.lines}
        self.lines.clear()
        return values


@pytest.fixture
def world() -> _World:
    return _World()


@pytest.fixture
def idle() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits, with a name made to mislead."""
    script = "import sys; open('/proc/self/comm', 'w').write('a) S 1 (b'); print(1, flush=True); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    yield process
    process.communicate()


def test_cpu_is_what_was_used_since_the_last_time(world: _World) -> None:
    processes = ProcessMetrics(world.metrics, lambda: [os.getpid()])
    processes.sample()
    used = sum(os.times()[:2]) * 1000
    assert world.values()["process.cpu"] == pytest.approx(used, abs=100)
    processes.sample()
    before = world.values()["process.cpu"]

    def more() -> bool:
        sum(range(100_000))
        processes.sample()
        return world.values()["process.cpu"] > 0

    until(more, "CPU used")
    assert before < used


def test_threads_and_files_are_those_of_all_processes(world: _World, idle: subprocess.Popen[bytes]) -> None:
    processes = ProcessMetrics(world.metrics, lambda: [os.getpid(), idle.pid])
    processes.sample()
    first = world.values()
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    with Path("/dev/null").open(), Path("/dev/null").open():
        processes.sample()
        second = world.values()
    stop.set()
    thread.join()
    assert second["process.threads"] == first["process.threads"] + 1
    assert second["process.files"] == first["process.files"] + 2
    ProcessMetrics(world.metrics, lambda: [idle.pid]).sample()
    assert world.values()["process.threads"] == 1


def test_a_process_that_ends_takes_nothing_back(world: _World) -> None:
    worker = subprocess.Popen([sys.executable, "-c", "sum(range(10_000_000)); input()"], stdin=subprocess.PIPE)
    alive = [os.getpid(), worker.pid]
    processes = ProcessMetrics(world.metrics, lambda: alive)

    def quiet() -> bool:
        processes.sample()
        return world.values()["process.cpu"] == 0

    until(quiet, "a quiet moment")
    worker.communicate(b"\n")
    processes.sample()
    assert world.values()["process.cpu"] >= 0


@pytest.mark.parametrize("pids", [[], [2**22 + 1], [-1]])
def test_processes_that_are_not_there_send_nothing(world: _World, pids: list[int]) -> None:
    ProcessMetrics(world.metrics, lambda: pids).sample()
    assert world.lines == []


def test_a_machine_without_proc_sends_nothing(world: _World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_PROC", tmp_path)
    ProcessMetrics(world.metrics, lambda: [os.getpid()]).sample()
    assert world.lines == []


def test_collections_are_counted_by_generation(world: _World) -> None:
    collections = CollectionMetrics(world.metrics)
    collections.sample()
    world.lines.clear()
    for _ in range(3):
        gc.collect(2)
    collections.sample()
    assert "process.collections:3|c|#generation:2" in world.lines


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_does_not_send_the_parents_collections(world: _World) -> None:
    collections = CollectionMetrics(world.metrics)
    gc.collect(2)
    child = os.fork()
    if child == 0:
        collections.sample()
        # Within so short a time there may be one of the youngest, and none of the oldest.
        os._exit(any("generation:2" in line for line in world.lines))
    assert os.waitpid(child, 0)[1] == 0
    collections.sample()
    assert "process.collections:1|c|#generation:2" in world.lines

"""What the master decides about memory, with an arbiter, a clock and processes that are made up."""

import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from baselib.contract import Settings
from baselib.lifecycle import Life, Phase
from baselib.memory import AllocationTrace
from baselib.web import memory_restarts, worker_replacements
from baselib.web.memory_restarts import MemoryRestarts
from tests.baselib.processes import IDENTITY

MIB = 1 << 20
LIMIT = 100 * MIB
HARD = 200 * MIB
FRESH = 10 * MIB
REPLACING = "memory limit reached: replacing the largest worker"
TOO_LOW = "memory has never been below the limit: the limit is too low for this service"


@dataclass
class Worker:
    """A worker: its file of the heartbeat, its size, and whether it starts and ends as it should."""

    age: int
    size: int = FRESH
    accepts: bool = True
    ends: bool = True
    told: list[int] = field(default_factory=list)

    @property
    def tmp(self) -> Any:
        """The file is as old as the wall clock until the first heartbeat."""
        return SimpleNamespace(last_update=lambda: 1.0 if self.accepts else 1.8e9)


class Arbiter:
    """gunicorn's, in what is used of it, and the clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.outside = 20 * MIB
        self.cfg: object = object()
        self.timeout = 60
        self.worker_age = 0
        self.num_workers = 2
        self.WORKERS: dict[int, Worker] = {}
        self.starts = True
        self.ends = True
        self.stopped: list[float] = []
        self.most = 0
        self.waited: list[float] = []
        self.manage_workers()

    @property
    def used(self) -> int:
        """Bytes in use."""
        return self.outside + sum(worker.size for worker in self.WORKERS.values())

    def kill_worker(self, process: int, number: int) -> None:
        """A worker that is told to end does so before the next turn, unless the test has it hang."""
        self.WORKERS[process].told.append(number)

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Time passes."""
        self.waited.append(timeout)
        self.now += timeout
        return []

    def murder_workers(self) -> None:
        """Nobody hangs here."""

    def manage_workers(self) -> None:
        """As gunicorn does: start who is missing, end the oldest where there are too many."""
        while len(self.WORKERS) < self.num_workers:
            self.worker_age += 1
            self.WORKERS[900 + self.worker_age] = Worker(self.worker_age, accepts=self.starts, ends=self.ends)
        for process in sorted(self.WORKERS)[: len(self.WORKERS) - self.num_workers]:
            self.kill_worker(process, signal.SIGTERM)
        self.most = max(self.most, len(self.WORKERS))

    def turn(self, times: int = 1) -> None:
        """One round of the arbiter's loop."""
        for _ in range(times):
            self.wait_for_signals(timeout=1.0)
            for process, worker in list(self.WORKERS.items()):
                if worker.told and (worker.ends or signal.SIGKILL in worker.told):
                    del self.WORKERS[process]
            self.murder_workers()
            self.manage_workers()

    def told(self) -> dict[int, list[int]]:
        """The living workers that were told to end."""
        return {process: worker.told for process, worker in self.WORKERS.items() if worker.told}


Run = Callable[..., Arbiter]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """An arbiter with two workers, watched."""

    def start(life: Life | None = None, hard: int | None = HARD, **more: str) -> Arbiter:
        arbiter = Arbiter()
        for module in (memory_restarts, worker_replacements):
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: arbiter.now))
        monkeypatch.setattr(memory_restarts, "used_bytes", lambda processes: arbiter.used)
        monkeypatch.setattr(memory_restarts, "hard_limit", lambda: hard)
        monkeypatch.setattr(
            memory_restarts, "private_bytes", lambda process: getattr(arbiter.WORKERS.get(process), "size", 0)
        )
        if life is None:
            life = Life()
            life.advance(Phase.READY)
        settings = Settings.from_environment({**IDENTITY, "MEMORY_LIMIT_MIB": "100", **more})
        MemoryRestarts(settings, life, lambda: arbiter.stopped.append(arbiter.now)).start(arbiter)
        return arbiter

    return start


def _fitted(arbiter: Arbiter) -> Arbiter:
    """Run for a while below the limit, as a service does whose limit is right."""
    arbiter.turn(40)
    return arbiter


def test_the_largest_worker_is_told_to_end_when_another_accepts(
    run: Run, caplog: pytest.LogCaptureFixture, captured_metrics: list[str]
) -> None:
    arbiter = _fitted(run())
    arbiter.starts = False
    arbiter.WORKERS[902].size = 75 * MIB
    arbiter.turn()
    assert sorted(arbiter.WORKERS) == [901, 902, 903]
    arbiter.turn(20)
    assert arbiter.told() == {}
    arbiter.WORKERS[903].accepts = True
    arbiter.turn()
    assert arbiter.told() == {902: [signal.SIGTERM]}
    arbiter.turn(20)
    assert sorted(arbiter.WORKERS) == [901, 903]
    assert arbiter.num_workers == 2
    (record,) = [record for record in caplog.records if record.getMessage() == REPLACING]
    assert {name: record.__dict__[name] for name in ("worker", "worker_bytes", "limit_bytes", "replacement_first")} == {
        "worker": 902,
        "worker_bytes": 75 * MIB,
        "limit_bytes": LIMIT,
        "replacement_first": True,
    }
    assert [line for line in captured_metrics if "restarts" in line] == ["test.restarts:1|c|#cause:memory"]


@pytest.mark.parametrize(("hard", "most"), [(None, 3), (HARD, 3), (LIMIT + FRESH + 2 * MIB, 3), (LIMIT + FRESH, 2)])
def test_a_worker_more_is_started_only_where_it_fits_below_the_hard_limit(
    run: Run, hard: int | None, most: int
) -> None:
    arbiter = _fitted(run(hard=hard))
    arbiter.WORKERS[901].size = 71 * MIB
    arbiter.turn(20)
    assert sorted(arbiter.WORKERS) == [902, 903]
    assert (arbiter.most, arbiter.num_workers) == (most, 2)


def test_at_the_limit_nothing_is_replaced(run: Run) -> None:
    arbiter = _fitted(run())
    arbiter.WORKERS[901].size = 70 * MIB
    assert arbiter.used == LIMIT
    arbiter.turn(100)
    assert sorted(arbiter.WORKERS) == [901, 902]


def test_equal_leaks_retire_one_worker_at_a_time(run: Run) -> None:
    arbiter = _fitted(run())
    for worker in arbiter.WORKERS.values():
        worker.size = 60 * MIB
    for _ in range(100):
        arbiter.turn()
        assert len(arbiter.told()) <= 1
        assert len([worker for worker in arbiter.WORKERS.values() if not worker.told]) >= 2
    assert len(arbiter.WORKERS) == 2
    assert arbiter.worker_age == 3
    assert arbiter.stopped == []


def test_between_two_replacements_is_a_second_in_which_requests_have_the_cpu(run: Run) -> None:
    arbiter = _fitted(run())
    for worker in arbiter.WORKERS.values():
        worker.size = 90 * MIB
    began: list[float] = []
    while arbiter.worker_age < 4:
        former = arbiter.worker_age
        arbiter.turn()
        began += [arbiter.now] * (arbiter.worker_age - former)
    # Both end as soon as they are told to, which takes no time here.
    assert 1.0 <= began[1] - began[0] < 2.0


def test_a_worker_that_takes_longer_to_end_than_its_time_keeps_nobody_else(run: Run) -> None:
    arbiter = _fitted(run(hard=None))
    for worker in arbiter.WORKERS.values():
        worker.size, worker.ends = 90 * MIB, False
    arbiter.turn(100)
    assert len(arbiter.told()) == 1
    arbiter.turn(200)
    assert sorted(arbiter.told()) == [901, 902]
    for worker in arbiter.WORKERS.values():
        worker.ends = True
    arbiter.turn(5)
    assert (len(arbiter.WORKERS), arbiter.num_workers) == (2, 2)


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.DRAINING, Phase.STOPPED])
def test_only_a_service_that_is_ready_replaces(run: Run, phase: Phase) -> None:
    life = Life()
    life.advance(phase)
    arbiter = _fitted(run(life))
    arbiter.WORKERS[901].size = 200 * MIB
    arbiter.turn(100)
    assert sorted(arbiter.WORKERS) == [901, 902]


def test_a_drain_that_begins_during_a_replacement_tells_nobody_to_end(run: Run) -> None:
    life = Life()
    life.advance(Phase.READY)
    arbiter = _fitted(run(life))
    arbiter.starts = False
    arbiter.WORKERS[901].size = 90 * MIB
    arbiter.turn()
    life.advance(Phase.DRAINING)
    for worker in arbiter.WORKERS.values():
        worker.accepts = True
    arbiter.turn(20)
    assert (sorted(arbiter.WORKERS), arbiter.told()) == ([901, 902, 903], {})


def test_a_drain_that_begins_while_the_old_one_ends_starts_nobody_for_it(run: Run) -> None:
    life = Life()
    life.advance(Phase.READY)
    arbiter = _fitted(run(life))
    arbiter.WORKERS[901].size = 90 * MIB
    arbiter.turn(2)
    life.advance(Phase.DRAINING)
    arbiter.turn(20)
    assert sorted(arbiter.WORKERS) == [902, 903]


def test_a_reload_during_a_replacement_is_not_counted_down(run: Run) -> None:
    arbiter = _fitted(run())
    arbiter.starts = False
    arbiter.WORKERS[901].size = 90 * MIB
    arbiter.turn()
    arbiter.cfg, arbiter.num_workers, arbiter.starts = object(), 2, True
    arbiter.WORKERS.clear()
    arbiter.turn(40)
    assert (len(arbiter.WORKERS), arbiter.num_workers) == (2, 2)


def test_a_worker_that_dies_while_another_is_started_for_it_is_replaced_once(run: Run) -> None:
    arbiter = _fitted(run())
    arbiter.starts = False
    arbiter.WORKERS[901].size = 90 * MIB
    arbiter.turn()
    del arbiter.WORKERS[901]
    arbiter.turn(20)
    assert sorted(arbiter.WORKERS) == [902, 903]


def test_a_replacement_that_does_not_start_is_killed_and_tried_again(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    arbiter = _fitted(run())
    arbiter.starts = False
    arbiter.WORKERS[901].size = 90 * MIB
    arbiter.turn(605)
    assert 903 not in arbiter.WORKERS
    arbiter.starts = True
    for worker in arbiter.WORKERS.values():
        worker.accepts = True
    assert [record.levelname for record in caplog.records if "does not start" in record.getMessage()] == ["ERROR"]
    arbiter.turn(40)
    assert sorted(arbiter.WORKERS) == [902, 904]
    assert arbiter.num_workers == 2


def test_growth_outside_of_the_workers_stops_the_task_after_a_full_round(run: Run, captured_metrics: list[str]) -> None:
    arbiter = _fitted(run())
    before = set(arbiter.WORKERS)
    arbiter.outside = 150 * MIB
    while not arbiter.stopped:
        arbiter.turn()
        assert arbiter.now < 2000
    assert not before & set(arbiter.WORKERS)
    assert arbiter.worker_age == 4
    assert captured_metrics[-1] == "test.restarts:1|c|#cause:memory-task"


def test_a_leak_is_relieved_again_and_again_and_never_stops_the_task(run: Run) -> None:
    arbiter = _fitted(run())
    for _ in range(1000):
        for worker in arbiter.WORKERS.values():
            worker.size += MIB
        arbiter.turn()
    assert arbiter.worker_age > 10
    assert arbiter.stopped == []


@pytest.mark.parametrize("hard", [None, HARD])
def test_a_limit_below_what_fresh_workers_need_causes_no_restart(
    run: Run, caplog: pytest.LogCaptureFixture, captured_metrics: list[str], hard: int | None
) -> None:
    arbiter = run(hard=hard)
    arbiter.outside = LIMIT
    arbiter.turn(600)
    assert sorted(arbiter.WORKERS) == [901, 902]
    assert arbiter.stopped == []
    told = [record for record in caplog.records if record.getMessage() == TOO_LOW]
    assert 4 <= len(told) <= 6
    assert len([line for line in captured_metrics if line.startswith("test.memory.unfit:")]) > 500


def test_a_limit_that_is_too_low_still_keeps_a_leak_from_the_hard_one(run: Run) -> None:
    arbiter = run()
    arbiter.outside = LIMIT
    for _ in range(400):
        arbiter.WORKERS[max(arbiter.WORKERS)].size += MIB // 4
        arbiter.turn()
        assert arbiter.used < HARD
    # Each of them only after it has grown by 40 MiB, half of what is left.
    assert 2 < arbiter.worker_age < 6


def test_a_leak_that_reaches_the_limit_right_after_the_start_is_relieved(run: Run) -> None:
    arbiter = run()
    arbiter.turn()
    arbiter.WORKERS[901].size = 90 * MIB
    arbiter.turn(10)
    assert sorted(arbiter.WORKERS) == [902, 903]


def test_turns_are_short_only_while_a_worker_starts_or_ends(run: Run) -> None:
    arbiter = run()
    arbiter.turn(3)
    assert arbiter.waited == [0.1, 0.5, 0.5]
    arbiter.wait_for_signals(timeout=0.01)
    assert arbiter.waited[-1] == 0.01
    arbiter.starts = False
    arbiter.WORKERS[901].size = 90 * MIB
    arbiter.turn(2)
    assert arbiter.waited[-1] == 0.1


def test_a_measurement_that_fails_does_not_end_the_loop(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    arbiter = _fitted(run())

    def fail(processes: list[int]) -> int:
        raise OSError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(memory_restarts, "used_bytes", fail)
        arbiter.turn()
    assert [record.getMessage() for record in caplog.records] == ["the memory guard could not check"]
    arbiter.WORKERS[901].size = 90 * MIB
    arbiter.turn(10)
    assert sorted(arbiter.WORKERS) == [902, 903]


def test_a_limit_at_the_hard_one_is_said(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    run(hard=LIMIT)
    assert [record.__dict__["hard_limit_bytes"] for record in caplog.records] == [LIMIT]


def test_without_a_limit_gunicorns_loop_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_restarts, "memory_limit", lambda settings: None)
    arbiter = Arbiter()
    MemoryRestarts(Settings.from_environment(IDENTITY), Life(), lambda: None).start(arbiter)
    arbiter.turn()
    assert arbiter.waited == [1.0]


@pytest.mark.parametrize("chosen", [True, False])
def test_only_the_worker_that_was_chosen_tells_what_it_held(chosen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(AllocationTrace, "tell", lambda self: told.append(1))
    restarts = MemoryRestarts(Settings.from_environment(IDENTITY), Life(), lambda: None)
    restarts._replacements._chosen[:] = (os.getpid() + (not chosen)).to_bytes(8, "big")
    restarts.worker_exit()
    assert bool(told) is chosen

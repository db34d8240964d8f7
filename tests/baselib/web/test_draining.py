"""What the master decides, with a gunicorn, a clock and processes that are made up."""

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
from baselib.memory import MemoryGuard
from baselib.web import draining
from baselib.web.draining import DrainingMaster
from tests.baselib.processes import IDENTITY

LIMIT = 100 << 20
KILLED = "memory limit reached: replacing the largest worker"
TOO_LOW = "memory has never been below the limit: the limit is too low for this service"


@dataclass
class World:
    """Everything outside of the master."""

    now: float = 1000.0
    used: int = 0
    sizes: dict[int, int] = field(default_factory=dict)
    killed: list[tuple[int, int]] = field(default_factory=list)
    alarms: list[float] = field(default_factory=list)
    signalled: list[int] = field(default_factory=list)
    handlers: dict[int, Callable[..., None]] = field(default_factory=dict)
    workers: dict[int, object] = field(default_factory=dict)
    replaced: bool = True
    num_workers: int = 2
    next_worker: int = 900_000

    @property
    def WORKERS(self) -> dict[int, object]:  # noqa: N802 - gunicorn's name
        """What gunicorn's arbiter has."""
        return self.workers

    def signal(self, number: int, frame: object) -> None:
        """What gunicorn's arbiter does with a signal."""
        self.signalled.append(number)

    def boot(self, size: int = 30 << 20) -> int:
        """Another worker."""
        self.next_worker += 1
        self.workers[self.next_worker] = object()
        self.sizes[self.next_worker] = size
        return self.next_worker

    def kill(self, process: int, number: int) -> None:
        """os.kill; a killed worker is replaced at once by a small one."""
        self.killed.append((process, number))
        if process in self.workers and self.replaced:
            del self.workers[process]
            self.boot()

    def sleep(self, seconds: float) -> None:
        """time.sleep."""
        self.now += seconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with two workers."""
    world = World()
    for _ in range(2):
        world.boot()
    clock = SimpleNamespace(monotonic=lambda: world.now, sleep=world.sleep)
    monkeypatch.setattr(draining, "time", clock)
    monkeypatch.setattr(draining, "used_bytes", lambda processes: world.used)
    monkeypatch.setattr(draining, "resident_bytes", lambda process: world.sizes.get(process, 0))
    monkeypatch.setattr(draining, "flush_telemetry", lambda: None)
    monkeypatch.setattr(draining, "os", SimpleNamespace(getpid=os.getpid, kill=world.kill))
    signals = SimpleNamespace(
        SIGTERM=signal.SIGTERM,
        SIGALRM=signal.SIGALRM,
        ITIMER_REAL=signal.ITIMER_REAL,
        signal=world.handlers.__setitem__,
        setitimer=lambda _, seconds: world.alarms.append(seconds),
    )
    monkeypatch.setattr(draining, "signal", signals)
    # No thread: a test makes the checks itself.
    monkeypatch.setattr(MemoryGuard, "start", lambda self: None)
    return world


def _master(world: World, **more: Any) -> tuple[DrainingMaster, Life]:
    life = Life()
    settings = Settings.from_environment({**IDENTITY, "MEMORY_LIMIT_MIB": "100", **more})
    master = DrainingMaster(settings, life)
    master.when_ready(world)
    return master, life


def _check(master: DrainingMaster, world: World, seconds: float = 0.5) -> None:
    """What the guard does twice a second."""
    world.now += seconds
    used = master._used()
    if used > LIMIT:
        master._relieve(used)


def _fit(master: DrainingMaster, world: World) -> None:
    """Run for a while below the limit, as a service does whose limit is right."""
    world.used = LIMIT // 2
    for _ in range(30):
        _check(master, world)


def test_an_open_listener_makes_the_service_ready(world: World) -> None:
    _, life = _master(world)
    assert life.phase == Phase.READY
    assert set(world.handlers) == {signal.SIGTERM, signal.SIGALRM}


@pytest.mark.parametrize("seconds", ["5", "0"])
def test_sigterm_drains_first_and_closes_the_listener_when_the_time_is_over(world: World, seconds: str) -> None:
    _, life = _master(world, DRAIN_SECONDS=seconds)
    world.handlers[signal.SIGTERM]()
    assert life.phase == Phase.DRAINING
    assert world.signalled == []
    # Zero would switch the timer off, and the task would drain for ever.
    assert world.alarms == [max(float(seconds), 0.001)]
    world.handlers[signal.SIGALRM]()
    assert world.signalled == [signal.SIGTERM]


def test_a_second_sigterm_changes_nothing(world: World) -> None:
    _master(world)
    world.handlers[signal.SIGTERM]()
    world.handlers[signal.SIGTERM]()
    assert len(world.alarms) == 1


def test_a_worker_that_has_the_handlers_of_the_master_does_nothing_with_them(world: World) -> None:
    master, life = _master(world)
    master._master = os.getpid() + 1
    world.handlers[signal.SIGTERM]()
    world.handlers[signal.SIGALRM]()
    assert (life.phase, world.alarms, world.signalled) == (Phase.READY, [], [])


def test_a_normal_end_is_no_exit_code_of_its_own(world: World) -> None:
    master, life = _master(world)
    master.on_exit(world)
    assert life.phase == Phase.STOPPED


def test_over_the_limit_the_largest_worker_that_has_lived_is_replaced(
    world: World, caplog: pytest.LogCaptureFixture, captured_metrics: list[str]
) -> None:
    caplog.set_level(logging.INFO)
    master, _ = _master(world)
    _fit(master, world)
    large = list(world.workers)[1]
    world.sizes[large] = 90 << 20
    world.used = LIMIT + 1
    # Both have been there for long when the limit is first reached.
    _check(master, world)
    assert world.killed == [(large, signal.SIGTERM)]
    assert captured_metrics == ["test.restarts:1|c|#cause:memory"]
    (record,) = [record for record in caplog.records if record.getMessage() == KILLED]
    assert record.__dict__["worker"] == large
    assert record.__dict__["limit_bytes"] == LIMIT


def test_one_worker_at_a_time_is_replaced_and_waited_for(world: World) -> None:
    master, _ = _master(world)
    _fit(master, world)
    world.used = LIMIT + 1
    world.replaced = False
    began = world.now
    _check(master, world)
    assert len(world.killed) == 1
    # It waits for as long as a worker may take to finish its requests, and then goes on.
    assert 20 <= world.now - began < 25


def test_at_the_limit_nothing_is_replaced(world: World) -> None:
    master, _ = _master(world)
    _fit(master, world)
    world.used = LIMIT
    for _ in range(100):
        _check(master, world)
    assert world.killed == []


@pytest.mark.parametrize("phase", [Phase.DRAINING, Phase.STOPPED])
def test_while_it_stops_nothing_is_replaced(world: World, phase: Phase) -> None:
    master, life = _master(world)
    _fit(master, world)
    life.advance(phase)
    world.used = 2 * LIMIT
    for _ in range(100):
        _check(master, world)
    assert world.killed == []


def test_a_master_that_has_grown_stops_the_task_with_the_exit_code_of_memory(
    world: World, captured_metrics: list[str]
) -> None:
    master, _ = _master(world)
    _fit(master, world)
    for worker in list(world.workers):
        del world.workers[worker]
        world.boot()
    world.used = 2 * LIMIT
    replaced = list(world.workers)
    for _ in range(60):
        _check(master, world)
    # A full round of new workers has not helped.
    assert {process for process, _ in world.killed[:2]} == set(replaced)
    assert world.killed[2] == (os.getpid(), signal.SIGTERM)
    assert captured_metrics[-1] == "test.restarts:1|c|#cause:memory-task"
    with pytest.raises(SystemExit) as caught:
        master.on_exit(world)
    assert caught.value.code == 75


def test_a_leak_is_relieved_again_and_again(world: World) -> None:
    master, _ = _master(world)
    for _ in range(3):
        _fit(master, world)
        world.used = LIMIT + 1
        _check(master, world)
    assert len(world.killed) == 3
    assert all(process != os.getpid() for process, _ in world.killed)


def test_a_limit_that_is_too_low_causes_no_restarts_and_is_said_now_and_then(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    master, _ = _master(world)
    # Whatever is replaced, the service needs this much.
    world.used = 2 * LIMIT
    while world.now < 1000 + 300:
        _check(master, world)
    told = [record for record in caplog.records if record.getMessage() == TOO_LOW]
    assert 1 <= len(told) <= 6
    assert (os.getpid(), signal.SIGTERM) not in world.killed
    # One round may be needed to see that it does not help; a worker every ten seconds would be a loop of restarts.
    assert len(world.killed) <= world.num_workers


def test_a_limit_that_is_too_low_is_said_also_where_the_machine_has_just_booted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    # The clock of `time.monotonic` begins with the machine, and a Fargate task has a machine of its own.
    world.now = 3.0
    master, _ = _master(world)
    world.used = 2 * LIMIT
    _check(master, world)
    assert [record.getMessage() for record in caplog.records].count(TOO_LOW) == 1


def test_without_a_limit_nothing_is_watched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "memory_limit", lambda settings: None)
    master, life = _master(world)
    assert master._guard is None
    world.handlers[signal.SIGTERM]()
    assert life.draining

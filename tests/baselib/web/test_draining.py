"""How the master drains, with a gunicorn and signals that are made up."""

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
from baselib.web import draining
from baselib.web.draining import DrainingMaster
from baselib.web.memory_restarts import MemoryRestarts
from tests.baselib.processes import IDENTITY


class _LeftError(Exception):
    """A process has ended at once."""


@dataclass
class World:
    """Everything outside of the master."""

    process: int = 100
    timer: float = 0.0
    signalled: list[int] = field(default_factory=list)
    handlers: dict[int, Any] = field(default_factory=dict)
    num_workers: int = 2

    def signal(self, number: int, frame: object) -> None:
        """What gunicorn's arbiter does with a signal."""
        self.signalled.append(number)

    def set_timer(self, _: int, seconds: float) -> None:
        """signal.setitimer."""
        self.timer = seconds

    def leave(self, code: int) -> None:
        """os._exit."""
        raise _LeftError(code)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which nothing happens by itself."""
    world = World()
    signals = SimpleNamespace(
        **{name: getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGALRM", "SIG_IGN")},
        ITIMER_REAL=signal.ITIMER_REAL,
        signal=world.handlers.__setitem__,
        setitimer=world.set_timer,
        getitimer=lambda _: (world.timer, 0.0),
    )
    monkeypatch.setattr(draining, "signal", signals)
    monkeypatch.setattr(draining, "os", SimpleNamespace(getpid=lambda: world.process, _exit=world.leave))
    monkeypatch.setattr(draining, "flush_telemetry", lambda: None)
    monkeypatch.setattr(MemoryRestarts, "start", lambda self, server: None)
    return world


Start = Callable[..., tuple[DrainingMaster, Life]]


def _master(world: World, **more: str) -> tuple[DrainingMaster, Life]:
    life = Life()
    master = DrainingMaster(Settings.from_environment({**IDENTITY, **more}), life)
    master.when_ready(world)
    return master, life


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
    assert world.timer == max(float(seconds), 0.001)
    world.handlers[signal.SIGALRM]()
    assert world.signalled == [signal.SIGTERM]


def test_a_second_sigterm_changes_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    _master(world)
    world.handlers[signal.SIGTERM]()
    world.timer = 1.0
    world.handlers[signal.SIGTERM]()
    assert world.timer == 1.0
    world.timer = 0.0
    world.handlers[signal.SIGTERM]()
    assert world.timer == 0.0
    assert [record.getMessage() for record in caplog.records].count("draining") == 1


def test_no_reload_begins_during_the_drain(world: World) -> None:
    _master(world)
    world.handlers[signal.SIGTERM]()
    assert world.handlers[signal.SIGHUP] is signal.SIG_IGN


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_worker_that_is_told_to_end_before_it_has_begun_ends_at_once(world: World, number: int) -> None:
    master, life = _master(world)
    world.process += 1
    if number == signal.SIGTERM:
        with pytest.raises(_LeftError):
            world.handlers[number]()
    world.handlers[signal.SIGALRM]()
    master.post_fork(world, None)
    with pytest.raises(_LeftError, match="0"):
        world.handlers[number]()
    assert (life.phase, world.timer, world.signalled) == (Phase.READY, 0.0, [])


def test_a_normal_end_is_no_exit_code_of_its_own(world: World) -> None:
    master, life = _master(world)
    master.on_exit(world)
    assert life.phase == Phase.STOPPED


def test_an_end_before_the_drain_is_over_leaves_no_alarm_behind(world: World) -> None:
    master, _ = _master(world)
    world.handlers[signal.SIGTERM]()
    master.on_exit(world)
    assert world.timer == 0.0


def test_a_stop_for_memory_drains_until_the_load_balancer_has_noticed_and_ends_with_75(world: World) -> None:
    master, life = _master(world)
    master._memory._stop_task()
    assert life.draining
    assert world.timer == 15.0
    with pytest.raises(SystemExit) as caught:
        master.on_exit(world)
    assert caught.value.code == 75


def test_a_sigterm_shortens_the_longer_drain_that_the_task_has_begun_itself(world: World) -> None:
    master, _ = _master(world)
    master._memory._stop_task()
    # ECS's stop time-out runs from now on.
    world.handlers[signal.SIGTERM]()
    assert world.timer == 5.0


def test_a_worker_that_ends_flushes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    master, _ = _master(world)
    flushed: list[int] = []
    monkeypatch.setattr(draining, "flush_telemetry", lambda: flushed.append(os.getpid()))
    master.worker_exit(world, None)
    master.on_exit(world)
    assert len(flushed) == 2

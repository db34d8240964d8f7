"""The guard: asks for relief over the limit, and outlives whatever goes wrong."""

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from baselib.memory import MemoryGuard

SECONDS = 20.0
LIMIT = 100


class _Watched:
    """Memory that follows a script, and says when the script is over."""

    def __init__(self, script: list[int | Exception]) -> None:
        self._script = iter(script)
        self.over = threading.Event()

    def used(self) -> int:
        step = next(self._script, None)
        if step is None:
            self.over.set()
            return 0
        if isinstance(step, Exception):
            raise step
        return step


@pytest.fixture
def run() -> Iterator[Callable[[list[int | Exception], Callable[[int], bool]], None]]:
    """Run a guard over a script of memory until the script is over."""
    guards: list[MemoryGuard] = []

    def watch(script: list[int | Exception], relieve: Callable[[int], bool]) -> None:
        watched = _Watched(script)
        guard = MemoryGuard(LIMIT, watched.used, relieve, check_seconds=0.001)
        guards.append(guard)
        guard.start()
        assert watched.over.wait(SECONDS)

    yield watch
    for guard in guards:
        guard.stop()


Run = Callable[[list[int | Exception], Callable[[int], bool]], None]


def test_relief_is_asked_for_only_over_the_limit(run: Run) -> None:
    asked: list[int] = []

    def relieve(used: int) -> bool:
        asked.append(used)
        return True

    run([0, 99, 100, 101, 50, 100, 1000], relieve)
    assert asked == [101, 1000]


def test_relief_is_asked_for_again_while_memory_stays_over_the_limit(run: Run) -> None:
    asked: list[int] = []

    def relieve(used: int) -> bool:
        asked.append(used)
        return False

    run([101, 102, 103], relieve)
    assert asked == [101, 102, 103]


def test_a_measurement_that_fails_does_not_end_the_guard(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[int] = []

    def relieve(used: int) -> bool:
        asked.append(used)
        return True

    with caplog.at_level(logging.ERROR):
        run([OSError("gone"), ValueError("rubbish"), 101], relieve)
    assert asked == [101]
    assert [record.getMessage() for record in caplog.records] == ["the memory guard could not check"] * 2


def test_a_relief_that_fails_does_not_end_the_guard(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[int] = []

    def relieve(used: int) -> bool:
        asked.append(used)
        raise RuntimeError("could not stop the worker")

    with caplog.at_level(logging.ERROR):
        run([101, 102], relieve)
    assert asked == [101, 102]
    assert len(caplog.records) == 2


def test_memory_is_measured_in_bytes_and_per_cent(run: Run, captured_metrics: list[str]) -> None:
    run([50, 60], lambda _: True)
    # Once in many checks, so that the first is told and the second is not.
    assert captured_metrics[:2] == ["test.memory.used:50|g", "test.memory.percent:50.0|g"]
    assert not [line for line in captured_metrics if ":60|g" in line]


def test_a_stopped_guard_looks_no_more() -> None:
    looked = threading.Event()

    def used() -> int:
        looked.set()
        return 0

    guard = MemoryGuard(LIMIT, used, lambda _: True, check_seconds=0.001)
    guard.stop()
    guard.start()
    for thread in threading.enumerate():
        if thread.name == "baselib-memory":
            thread.join(SECONDS)
    assert not looked.is_set()


def test_growth_is_what_came_after_the_start_had_settled_and_never_below_nothing(captured_metrics: list[str]) -> None:
    used = [50]
    guard = MemoryGuard(LIMIT, lambda: used[0], lambda _: True, settled_seconds=0)
    guard._began = float("-inf")
    for now in (70, 60, 40):
        guard._next_metric = float("-inf")
        guard.check()
        used[0] = now
    growth = [line for line in captured_metrics if "growth" in line]
    assert growth == ["test.memory.growth:0|g", "test.memory.growth:20|g", "test.memory.growth:10|g"]


def test_before_the_start_has_settled_nothing_is_said_of_growth(captured_metrics: list[str]) -> None:
    MemoryGuard(LIMIT, lambda: 50, lambda _: True).check()
    assert captured_metrics == ["test.memory.used:50|g", "test.memory.percent:50.0|g"]


def test_a_stopped_guard_does_not_check_either() -> None:
    guard = MemoryGuard(LIMIT, lambda: pytest.fail("it has looked"), lambda _: True)
    guard.stop()
    guard.check()

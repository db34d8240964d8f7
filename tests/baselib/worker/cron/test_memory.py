"""A run above its memory limit is warned of, and stopped only just below the kernel's."""

import pytest

from baselib.contract import Settings
from baselib.lifecycle import Life
from baselib.service import Service
from baselib.worker import Job
from baselib.worker.cron import MemoryLimitError, memory
from baselib.worker.cron.memory import MemoryWatch, guard_memory
from tests.baselib.processes import IDENTITY, until
from tests.baselib.worker.cron.conftest import NIGHTLY


def test_a_run_above_its_limit_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    stopped: list[MemoryLimitError] = []
    watch = MemoryWatch(100, 200, stopped.append)
    for used in (110, 150, 193):
        watch.relieve(used)
    assert [record.getMessage() for record in caplog.records] == ["the job uses more memory than its limit"]
    assert not stopped


@pytest.mark.parametrize(("hard", "stops"), [(200, 1), (None, 0)])
def test_it_is_stopped_just_below_the_kernels_limit(hard: int | None, stops: int) -> None:
    stopped: list[MemoryLimitError] = []
    MemoryWatch(100, hard, stopped.append).relieve(195)
    assert len(stopped) == stops


def test_without_a_limit_nobody_looks() -> None:
    settings = Settings.from_environment({**IDENTITY, "MEMORY_LIMIT_MIB": "0"})
    assert guard_memory(settings, lambda _: None) is None


def test_a_run_that_is_stopped_for_its_memory_ends_with_75(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(memory, "used_bytes", lambda _: 99 << 20)
    monkeypatch.setattr(memory, "hard_limit", lambda: 100 << 20)

    def endless(_: Service) -> None:
        until(lambda: None, "never")

    assert Job(endless, environ={**NIGHTLY, "MEMORY_LIMIT_MIB": "80"}, life=Life()).run() == 75
    messages = [record.getMessage() for record in caplog.records]
    assert "cron failed" in messages

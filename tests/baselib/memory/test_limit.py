"""What 100 % of a task's memory is."""

import pytest

from baselib import container
from baselib.container import CgroupMemory
from baselib.contract import Settings
from baselib.memory import hard_limit, memory_limit

MIB = 1 << 20


def _settings(limit: int | None) -> Settings:
    return Settings(product="duolingo", service="api", owner="platform", memory_limit_mib=limit)


@pytest.mark.parametrize(
    ("said", "hard_limit", "expected"),
    [
        (256, None, 256 * MIB),
        (256, 512 * MIB, 256 * MIB),
        (None, 1000 * MIB, 850 * MIB),
        (None, None, None),
    ],
)
def test_the_reservation_goes_before_a_share_of_the_hard_limit(
    said: int | None, hard_limit: int | None, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = CgroupMemory(hard_limit, 5) if hard_limit is not None else None
    monkeypatch.setattr(container, "memory", lambda: found)
    assert memory_limit(_settings(said)) == expected


def test_a_limit_leaves_room_below_the_hard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "memory", lambda: CgroupMemory(101, 5))
    limit = memory_limit(_settings(None))
    assert isinstance(limit, int)
    assert 0 < limit < 101


def test_zero_switches_the_guard_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "memory", lambda: CgroupMemory(512 * MIB, 5))
    assert memory_limit(_settings(0)) is None


@pytest.mark.parametrize(
    ("group", "ecs", "expected"),
    [(512, None, 512), (None, 400, 400), (512, 400, 400), (300, 400, 300), (None, None, None)],
)
def test_the_hard_limit_is_the_lower_of_the_groups_and_what_ecs_tells(
    group: int | None, ecs: int | None, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "memory", lambda: CgroupMemory(group, 5) if group else None)
    monkeypatch.setattr(container, "ecs_memory_limit", lambda environ: ecs)
    assert hard_limit() == expected
    assert memory_limit(_settings(None)) == (int(expected * 0.85) if expected else None)

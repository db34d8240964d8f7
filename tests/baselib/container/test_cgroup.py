"""The container's limits, read from folders laid out as the kernel lays them out."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.container import CgroupMemory, cpu_limit, memory

MIB = 1 << 20
NO_LIMIT_V1 = 0x7FFFFFFFFFFFF000


def _group(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n")
    return root


def _v2(limit: object, used: object, inactive: object = 0) -> dict[str, object]:
    return {"memory.max": limit, "memory.current": used, "memory.stat": f"anon 5\ninactive_file {inactive}\nfile 9"}


def _v1(limit: object, used: object, inactive: object = 0) -> dict[str, object]:
    return {
        "memory/memory.limit_in_bytes": limit,
        "memory/memory.usage_in_bytes": used,
        "memory/memory.stat": f"inactive_file 77\ntotal_inactive_file {inactive}",
    }


@pytest.mark.parametrize("version", [_v1, _v2])
def test_limit_and_working_set_are_read(version: Callable[..., dict[str, object]], tmp_path: Path) -> None:
    assert memory(_group(tmp_path, version(512 * MIB, 300 * MIB, 100 * MIB))) == CgroupMemory(512 * MIB, 200 * MIB)


@pytest.mark.parametrize("version", [_v1, _v2])
def test_usage_is_never_negative(version: Callable[..., dict[str, object]], tmp_path: Path) -> None:
    # The two files are read one after the other, and the cache may have grown between.
    assert memory(_group(tmp_path, version(512 * MIB, 100 * MIB, 200 * MIB))) == CgroupMemory(512 * MIB, 0)


@pytest.mark.parametrize(
    "files",
    [
        {},
        _v2("max", 5),
        _v1(NO_LIMIT_V1, 5),
        {"memory.max": 512 * MIB},
        {"memory.max": "rubbish", "memory.current": 5},
        {"memory.max": "", "memory.current": ""},
        {"memory/memory.limit_in_bytes": 512 * MIB},
    ],
)
def test_without_a_limit_there_is_nothing_to_say(files: dict[str, object], tmp_path: Path) -> None:
    assert memory(_group(tmp_path, files)) is None


def test_statistics_that_are_missing_count_as_nothing(tmp_path: Path) -> None:
    assert memory(_group(tmp_path, {"memory.max": 9, "memory.current": 5})) == CgroupMemory(9, 5)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1 << 50), st.integers(0, 1 << 50))
def test_whatever_the_kernel_says_usage_lies_between_nothing_and_what_is_charged(used: int, inactive: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = memory(_group(Path(folder), _v2(1 << 51, used, inactive)))
    assert found is not None
    assert 0 <= found.used_bytes <= used


@pytest.fixture
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


@pytest.mark.usefixtures("_machine")
@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({}, 8.0),
        ({"cpu.max": "50000 100000"}, 0.5),
        ({"cpu.max": "400000 100000"}, 4.0),
        ({"cpu.max": "max 100000"}, 8.0),
        ({"cpu.max": "1600000 100000"}, 8.0),
        ({"cpu/cpu.cfs_quota_us": 25000, "cpu/cpu.cfs_period_us": 100000}, 0.25),
        ({"cpu/cpu.cfs_quota_us": -1, "cpu/cpu.cfs_period_us": 100000}, 8.0),
        ({"cpu/cpu.shares": 512}, 0.5),
        ({"cpu/cpu.shares": 2048}, 2.0),
        ({"cpu/cpu.shares": 1024}, 8.0),
        ({"cpu/cpu.shares": 2048, "cpu/cpu.cfs_quota_us": 100000, "cpu/cpu.cfs_period_us": 100000}, 1.0),
        # Version 2 without an own weight: the kernel's default says nothing of the container.
        ({"cpu.max": "max 100000", "cpu.weight": 100}, 8.0),
    ],
)
def test_cpus_are_what_quota_and_shares_allow(files: dict[str, object], cpus: float, tmp_path: Path) -> None:
    assert cpu_limit(_group(tmp_path, files)) == pytest.approx(cpus)


@pytest.mark.usefixtures("_machine")
@pytest.mark.parametrize(("weight", "cpus"), [(20, 0.5), (79, 2.0)])
def test_shares_count_in_version_2_too_where_they_are_a_weight(weight: int, cpus: float, tmp_path: Path) -> None:
    # The runtime turns ECS's CPU units into 1 + (units - 2) * 9999 / 262142, so that a weight is only about right.
    files = {"cpu.max": "max 100000", "cpu.weight": weight}
    assert cpu_limit(_group(tmp_path, files)) == pytest.approx(cpus, rel=0.1)


def test_the_real_machine_has_some_cpu_and_memory_that_add_up() -> None:
    assert 0 < cpu_limit() <= (os.cpu_count() or 1)
    found = memory()
    assert found is None or found.used_bytes >= 0

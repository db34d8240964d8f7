"""The container's limits, read from folders laid out as the kernel lays them out."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.container import CgroupMemory, cpu_limit, memory, working_set

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


@pytest.mark.parametrize(
    ("files", "used"),
    [
        # The kernel takes back the whole page cache and what it can of its own before it kills.
        (
            {"memory.stat": "inactive_file 100\nactive_file 50\nslab_reclaimable 25\nshmem 70\nslab_unreclaimable 9"},
            825,
        ),
        ({"memory.stat": "inactive_file 100\nactive_file\n\nslab_reclaimable x\nactive_file -5"}, 900),
        ({"memory.stat": "\udc80"}, 1000),
    ],
)
def test_what_the_kernel_takes_back_before_it_kills_does_not_count(
    files: dict[str, str], used: int, tmp_path: Path
) -> None:
    _group(tmp_path, {"memory.max": 2000, "memory.current": 1000})
    (tmp_path / "memory.stat").write_bytes(files["memory.stat"].encode("utf-8", "surrogateescape"))
    assert memory(tmp_path) == CgroupMemory(2000, used)


def test_version_1_counts_the_groups_below_and_the_limit_of_the_one_around(tmp_path: Path) -> None:
    told = "inactive_file 1\nactive_file 1\nhierarchical_memory_limit 500\ntotal_inactive_file 20\ntotal_active_file 10"
    files = {"memory.limit_in_bytes": NO_LIMIT_V1, "memory.usage_in_bytes": 100, "memory.stat": told}
    assert memory(_group(tmp_path, {f"memory/{name}": content for name, content in files.items()})) == CgroupMemory(
        500, 70
    )


SERVICE = "system.slice/docker-4f.scope"


@pytest.mark.parametrize(
    ("groups", "own", "expected"),
    [
        # The own group has the limit, and the ones around it none.
        ({SERVICE: (500, 100), "system.slice": ("max", 900)}, f"/{SERVICE}", CgroupMemory(500, 100)),
        # One around it has: what kills is the usage of that one.
        ({SERVICE: ("max", 100), "system.slice": (800, 300)}, f"/{SERVICE}", CgroupMemory(800, 300)),
        ({SERVICE: (900, 100), "system.slice": (800, 300)}, f"/{SERVICE}", CgroupMemory(800, 300)),
        ({SERVICE: (500, 100), "system.slice": (500, 300)}, f"/{SERVICE}", CgroupMemory(500, 100)),
        ({SERVICE: ("max", 100), "system.slice": ("max", 900)}, f"/{SERVICE}", None),
        # A neighbour's limit is nobody else's.
        ({SERVICE: ("max", 100), "system.slice/other": (5, 5)}, f"/{SERVICE}", None),
        # Without a namespace the path is the host's, and the container's own group is the root.
        ({"": (500, 100)}, "/docker/4f", CgroupMemory(500, 100)),
        ({"": (500, 100)}, "/", CgroupMemory(500, 100)),
        ({"": (500, 100)}, "/../../elsewhere", CgroupMemory(500, 100)),
        ({SERVICE: (0, 100)}, f"/{SERVICE}", None),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_the_limit_may_stand_in_any_group_around_the_process(
    groups: dict[str, tuple[object, int]], own: str, expected: CgroupMemory | None, version: int, tmp_path: Path
) -> None:
    names = (
        ("memory.max", "memory.current", "")
        if version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory")
    )
    for name, (limit, used) in groups.items():
        said = NO_LIMIT_V1 if version == 1 and limit == "max" else limit
        _group(tmp_path / names[2] / name, {names[0]: said, names[1]: used})
    lines = "12:cpuset:/elsewhere\n7:memory,hugetlb:%s\n1:name=systemd:/x\nrubbish\n0::%s\n"
    listed = tmp_path / "cgroup"
    listed.write_text(lines % (own, own))
    assert memory(tmp_path, listed) == expected
    inner = groups.get(own.lstrip("/"), groups.get("", (0, None)))[1]
    assert working_set(tmp_path, listed) == inner


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
@pytest.mark.parametrize("text", ["", "rubbish", "100000", "x 100000", "100000 0", "-1 100000"])
def test_a_quota_that_cannot_be_read_is_none(text: str, tmp_path: Path) -> None:
    assert cpu_limit(_group(tmp_path, {"cpu.max": text})) == 8.0


@pytest.mark.usefixtures("_machine")
def test_a_quota_may_stand_in_any_group_around_the_process(tmp_path: Path) -> None:
    _group(tmp_path, {"a.slice/cpu.max": "300000 100000", "a.slice/b.scope/cpu.max": "max 100000"})
    _group(tmp_path, {"a.slice/cpu.weight": 1, "cgroup": "0::/a.slice/b.scope"})
    assert cpu_limit(tmp_path, tmp_path / "cgroup") == 3.0


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

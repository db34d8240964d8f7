"""The working set beside the kernel's own killer, in a real control group of version 1."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.baselib.processes import until

MIB = 1 << 20
LIMIT = 120 * MIB

ENTER = """
import os, sys
group, folder = sys.argv[1:]
with open(f"{group}/cgroup.procs", "w") as processes:
    processes.write(str(os.getpid()))
from pathlib import Path
from baselib.container import memory
MIB = 1 << 20
charged = lambda: int(Path(group, "memory.usage_in_bytes").read_text())
before = memory()
assert before.limit_bytes == 120 * MIB, before
"""

PAGE_CACHE = """
file = Path(folder, "file")
file.write_bytes(b"x" * (70 * MIB))
os.sync()
# What is read twice is in the active half of the cache.
for _ in range(3):
    with file.open("rb") as cached:
        while cached.read(MIB):
            pass
after = memory()
assert charged() > before.used_bytes + 50 * MIB, charged()
assert after.used_bytes < before.used_bytes + 20 * MIB, after
# More than is left beside the cache, and the kernel makes room instead of killing.
kept = bytearray(80 * MIB)
assert memory().used_bytes > 80 * MIB
print("alive")
"""

SHARED_MEMORY = """
shared = Path("/dev/shm", f"baselib-{os.getpid()}")
try:
    shared.write_bytes(b"x" * (40 * MIB))
    assert memory().used_bytes > before.used_bytes + 35 * MIB, memory()
finally:
    shared.unlink()
print("alive")
"""

ANONYMOUS = """
kept = bytearray(200 * MIB)
print("alive")
"""


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Path]:
    """A control group of version 1."""
    root = Path("/sys/fs/cgroup/memory")
    if os.geteuid() or not (root / "memory.limit_in_bytes").exists():
        pytest.skip("needs root and the memory controller of control groups version 1")
    group = root / f"baselib-test-{os.getpid()}-{tmp_path.name}"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(LIMIT))
    yield group
    until(lambda: not (group / "cgroup.procs").read_text().strip(), "the group is empty")
    group.rmdir()


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("code", "code_of_exit"), [(PAGE_CACHE, 0), (SHARED_MEMORY, 0), (ANONYMOUS, -9)], ids=["cache", "shm", "anonymous"]
)
def test_the_working_set_is_what_the_kernel_kills_for(
    code: str, code_of_exit: int, group: Path, tmp_path: Path
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ENTER + code, str(group), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == code_of_exit, ran.stderr
    assert (ran.stdout == "alive\n") is (code_of_exit == 0)

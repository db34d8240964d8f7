"""How much memory is in use."""

import os
import subprocess
import sys

import pytest

from baselib import container
from baselib.container import CgroupMemory
from baselib.memory import private_bytes, resident_bytes, used_bytes

NOBODY = 2**22 + 1  # above the largest process id of Linux


def test_this_process_has_a_resident_set() -> None:
    assert 1 << 20 < resident_bytes(os.getpid()) < 1 << 40


@pytest.mark.parametrize("process", [NOBODY, -1])
def test_a_process_that_is_gone_uses_nothing(process: int) -> None:
    assert resident_bytes(process) == private_bytes(process) == 0


# From Python 3.12 on a fork beside threads warns.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_shared_with_a_parent_is_not_private() -> None:
    kept = bytearray(64 << 20)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    try:
        # A child that has written to nothing shares what the parent has written to.
        assert private_bytes(child) < 32 << 20 < len(kept) <= resident_bytes(child)
    finally:
        os.close(read)
        os.close(write)
        os.waitpid(child, 0)
    assert private_bytes(os.getpid()) > len(kept)


def test_a_process_that_has_ended_and_was_not_waited_for_uses_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    try:
        assert resident_bytes(child.pid) == 0
    finally:
        child.wait()


def test_a_containers_working_set_goes_before_the_sum_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "memory", lambda: CgroupMemory(100, 42))
    assert used_bytes([os.getpid()]) == 42


def test_in_an_ecs_task_the_group_counts_also_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "memory", lambda: None)
    monkeypatch.setattr(container, "working_set", lambda: 42)
    assert used_bytes([]) == 0
    monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/1")
    assert used_bytes([]) == 42
    monkeypatch.setattr(container, "working_set", lambda: None)
    assert used_bytes([]) == 0


def test_outside_of_a_container_the_processes_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "memory", lambda: None)
    assert used_bytes([]) == used_bytes([NOBODY]) == 0
    alone = used_bytes([os.getpid()])
    assert 1 << 20 < alone < 1 << 40
    assert used_bytes([os.getpid(), os.getpid(), NOBODY]) > alone

"""How much memory is in use."""

import os
import subprocess
import sys

import pytest

from baselib import container
from baselib.container import CgroupMemory
from baselib.memory import resident_bytes, used_bytes

NOBODY = 2**22 + 1  # above the largest process id of Linux


def test_this_process_has_a_resident_set() -> None:
    assert 1 << 20 < resident_bytes(os.getpid()) < 1 << 40


@pytest.mark.parametrize("process", [NOBODY, -1])
def test_a_process_that_is_gone_uses_nothing(process: int) -> None:
    assert resident_bytes(process) == 0


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


def test_outside_of_a_container_the_processes_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "memory", lambda: None)
    assert used_bytes([]) == used_bytes([NOBODY]) == 0
    alone = used_bytes([os.getpid()])
    assert 1 << 20 < alone < 1 << 40
    assert used_bytes([os.getpid(), os.getpid(), NOBODY]) > alone

"""A configuration error ends the process with the contract's exit code, and says each problem on a line of its own."""

import subprocess
import sys

import pytest

from baselib.contract import ConfigurationError


def test_it_is_a_system_exit_with_code_78() -> None:
    with pytest.raises(SystemExit) as end:
        raise ConfigurationError(["PORT is 'x'"])
    assert end.value.code == 78


def test_it_is_not_swallowed_by_except_exception() -> None:
    assert not issubclass(ConfigurationError, Exception)


def test_each_problem_is_one_line() -> None:
    assert str(ConfigurationError(["a", "b"])).splitlines() == ["configuration error: a", "configuration error: b"]


def test_a_process_ends_with_78_and_without_a_traceback() -> None:
    code = "from baselib.contract import Settings; Settings.from_environment({})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 78
    assert "Traceback" not in ended.stderr

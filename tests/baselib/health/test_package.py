"""The package: its names are there, and are loaded only when they are used."""

import subprocess
import sys

import pytest

from baselib import health


def test_every_name_that_is_offered_can_be_imported() -> None:
    for name in health.__all__:
        assert getattr(health, name).__name__ == name
    assert sorted(health.__all__) == sorted(health._HOMES)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match=r"module 'baselib\.health' has no attribute 'unknown'"):
        _ = health.unknown


def test_a_check_that_hangs_does_not_keep_the_process_from_its_end() -> None:
    code = """
import threading
from baselib.health import HealthCheck, HealthChecks, StartUp
checks = HealthChecks()
checks.add(HealthCheck("hung", threading.Event().wait, timeout=0.01, required_for_traffic=True))
checks.add_start_up(StartUp("warm", threading.Event().wait))
checks.on_change(lambda check, result: threading.Event().wait())
print(checks.results()["hung"].healthy)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (0, "False\n"), ended.stderr

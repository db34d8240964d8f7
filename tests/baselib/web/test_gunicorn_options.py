"""gunicorn's options, and that gunicorn accepts them."""

import logging
import subprocess
import sys
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from baselib import container
from baselib.contract import Settings
from baselib.web.gunicorn_logger import GunicornLogger
from baselib.web.gunicorn_options import gunicorn_options
from tests.baselib.processes import IDENTITY


def _options(**environ: str) -> dict[str, Any]:
    return gunicorn_options(Settings.from_environment({**IDENTITY, **environ}), "127.0.0.1")


def test_gunicorn_accepts_every_option() -> None:
    config = Config()
    for name, value in _options().items():
        config.set(name, value)
    assert issubclass(config.worker_class, ThreadWorker)


def test_port_processes_and_threads_are_those_of_the_settings() -> None:
    options = _options(PORT="8123", WEB_CONCURRENCY="3", WEB_THREADS="7", STOP_SECONDS="9.2")
    assert options["bind"] == ["127.0.0.1:8123"]
    assert (options["workers"], options["threads"], options["graceful_timeout"]) == (3, 7, 10)
    assert options["preload_app"] is True
    assert options["worker_connections"] >= options["threads"]


@pytest.mark.parametrize(("cpus", "workers"), [(0.25, 2), (1.0, 2), (2.0, 2), (2.5, 3), (8.0, 8)])
def test_processes_follow_the_share_of_the_container(
    monkeypatch: pytest.MonkeyPatch, cpus: float, workers: int
) -> None:
    monkeypatch.setattr(container, "cpu_limit", lambda: cpus)
    assert _options()["workers"] == workers


def test_the_load_balancer_closes_idle_connections_first() -> None:
    assert _options()["keepalive"] == 75


def test_what_the_load_balancer_lets_through_is_not_refused() -> None:
    options = _options()
    # Without a limit in gunicorn, whose highest is below the load balancer's; the worker has one of its own.
    assert options["limit_request_line"] == 0
    assert options["limit_request_field_size"] >= 16 << 10
    assert options["limit_request_fields"] >= 1000


def test_messages_of_gunicorn_go_where_all_others_go(caplog: pytest.LogCaptureFixture) -> None:
    logger = GunicornLogger(Config())
    with caplog.at_level(logging.INFO):
        logger.error("worker gone")
        logger.access(object(), object(), {}, None)
    assert [record.getMessage() for record in caplog.records] == ["worker gone"]
    assert logger.error_log.handlers == []


def test_no_file_in_the_home_directory_and_no_disk_or_slow_reader_is_waited_for() -> None:
    options = _options()
    assert options["control_socket_disable"] is True
    assert options["sendfile"] is False
    assert options["worker_tmp_dir"] in {"/dev/shm", None}


def test_before_the_first_fork_sentry_is_there_and_memory_is_kept_shared() -> None:
    # In a process of its own: what is frozen stays so.
    program = """
import gc, os, sys
from types import SimpleNamespace
from baselib.contract import Settings
from baselib.telemetry import configure_telemetry
from baselib.web.gunicorn_options import gunicorn_options

settings = Settings.from_environment(os.environ)
configure_telemetry(settings)
assert "sentry_sdk" not in sys.modules
gunicorn_options(settings)["pre_fork"](SimpleNamespace(WORKERS={}), SimpleNamespace())
assert "sentry_sdk" in sys.modules
assert gc.get_freeze_count() > 10_000
"""
    environ = {**IDENTITY, "SENTRY_DSN": "http://key@127.0.0.1:9/1"}
    ran = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr

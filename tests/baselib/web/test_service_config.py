"""The service's own `gunicorn.conf.py`, alone and with `baselib serve` as a process."""

import signal
from pathlib import Path

import pytest

from baselib.contract import ConfigurationError
from baselib.web.service_config import read_service_config
from tests.baselib.processes import IDENTITY, Launch, status
from tests.baselib.web.served import Served

CONFIG = """
import pathlib

def note(text):
    with open("hooks", "a") as file:
        file.write(text + "\\n")

max_requests = 100000

def when_ready(server):
    note("when_ready")

def post_fork(server, worker):
    note("post_fork")

def pre_request(worker, request):
    note("pre_request " + request.path)

def worker_exit(server, worker):
    note("worker_exit")
    raise ValueError("broken hook")

def on_exit(server):
    note("on_exit")
    raise ValueError("broken hook")
"""


def test_the_hooks_of_the_service_are_called_besides_ours(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "gunicorn.conf.py").write_text(CONFIG)
    served = Served(tmp_path, launch)
    assert status(served.port, "/") == 200
    served.program.send(signal.SIGTERM)
    assert served.program.wait() == 0
    assert len(served.program.logged("ready")) == len(served.program.logged("stopped")) == 1
    lines = (tmp_path / "hooks").read_text().splitlines()
    assert [line for line in lines if not line.startswith("pre_request /healthz")] == [
        "when_ready",
        "post_fork",
        "pre_request /",
        "worker_exit",
        "on_exit",
    ]
    assert len(served.program.logged("hook of the service failed")) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("workers = 3", "workers is set by the variable WEB_CONCURRENCY"),
        ("worker_class = 'sync'", "worker_class is set by baselib"),
        ("preload_app = False", "preload_app is set by baselib"),
        ("certfile = 'a.pem'", "certfile is set by baselib"),
        ("control_socket_disable = False", "control_socket_disable is set by baselib"),
        ("post_fork = 3", "post_fork is not a function"),
        ("def post_fork(worker): pass", "post_fork takes 1 arguments: accepted is 2"),
    ],
)
def test_what_is_not_the_services_to_choose_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "gunicorn.conf.py"
    file.write_text(text + "\n")
    with pytest.raises(ConfigurationError, match=told):
        read_service_config(file)


def test_names_that_gunicorn_does_not_know_are_the_files_own(tmp_path: Path) -> None:
    file = tmp_path / "gunicorn.conf.py"
    file.write_text("import os\nhelper = 3\nmax_requests = 1000\ndef post_request(worker, req): pass\n")
    assert set(read_service_config(file)) == {"max_requests", "post_request"}
    assert read_service_config(tmp_path / "none.py") == {}


def test_a_wrong_file_ends_the_start_with_78_and_a_line(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "gunicorn.conf.py").write_text("bind = '0.0.0.0:80'\nthreads = 3\n")
    (tmp_path / "service.py").write_text("from baselib.web import create_app\napp = create_app(__name__)\n")
    program = launch("serve", "service:app", **IDENTITY)
    assert program.wait() == 78
    assert "bind is set by the variable PORT" in program.errors
    assert "threads is set by the variable WEB_THREADS" in program.errors

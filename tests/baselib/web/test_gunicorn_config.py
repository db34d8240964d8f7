"""gunicorn started by hand with baselib's configuration."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.baselib.processes import IDENTITY, free_port, status, until


def test_gunicorn_started_by_hand_serves_and_drains(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(
        "from baselib.web import create_app\napp = create_app(__name__)\n", encoding="utf-8"
    )
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "python:baselib.web.gunicorn_config", "service:app"]
    environment = {"PATH": os.environ["PATH"], **IDENTITY, "PORT": str(port), "DRAIN_SECONDS": "0.1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        until(lambda: status(port, "/healthz/ready") == 200, "it is ready")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()

"""The command line, mostly as a process, because exit codes are what others see of it."""

import contextlib
import http.server
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import boto3
import pytest

from baselib.cli import main
from baselib.testing.embedded_aws import CREDENTIALS, REGION
from tests.baselib.processes import Launch, free_port

COMMANDS = (
    "serve",
    "worker",
    "cron",
    "health",
    "doctor",
    "log-level",
    "migrate",
    "dev",
    "aws",
    "queue",
    "plan",
    "release",
    "rollback",
    "running",
    "delivery",
)
HEAVY = {
    "email",
    "http",
    "logging",
    "ssl",
    "orjson",
    "urllib3",
    "flask",
    "werkzeug",
    "boto3",
    "botocore",
    "pydantic",
    "moto",
    "gunicorn",
    "spectree",
    "sentry_sdk",
    "watchfiles",
}


@contextlib.contextmanager
def _answering(status: int) -> Iterator[int]:
    """A server on a free port that answers every request with a status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz/live" else 404)
            self.end_headers()
            self.wfile.write(b'{"status": "told"}')

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    told = capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"\n    {command}\s", told)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"baselib {command}" in capsys.readouterr().out


def test_the_version_is_that_of_the_installed_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == version("baselib")


@pytest.mark.parametrize(
    "place",
    ["", "app", "app:", ":app", "a b:c", "./app.py:app", "a/b:app", "a:b:c", "a:b()", "1a:b", "a..b:c", "a:b\n"],
)
@pytest.mark.parametrize("command", ["serve", "worker", "cron", "doctor"])
def test_a_place_of_another_form_is_refused_with_one_sentence(
    command: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, place])
    assert caught.value.code == 2
    told = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(told) == 1
    assert told[0].endswith("is not of the form package.module:name")


@pytest.mark.parametrize("arguments", [[], ["fly"], ["health", "--port", "many"]])
def test_what_is_no_command_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: baselib" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1), (500, 1)])
def test_health_says_what_the_service_says(status: int, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with _answering(status) as port:
        assert main(["health", "--port", str(port)]) == code
    assert f"port {port}: {status}" in capsys.readouterr().out


def test_health_of_a_stopped_service_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main(["health", "--port", str(port)]) == 1
    assert f"port {port}" in capsys.readouterr().out


@pytest.mark.parametrize("variable", ["PORT", "HEALTH_PORT"])
def test_health_finds_the_port_of_a_web_service_and_of_a_worker(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "HEALTH_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    assert main(["health"]) == 1
    with _answering(200) as port:
        monkeypatch.setenv(variable, str(port))
        assert main(["health"]) == 0


def test_health_of_a_web_service_that_is_ill_is_not_asked_of_another_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with _answering(503) as ill, _answering(200) as other:
        monkeypatch.setenv("PORT", str(ill))
        monkeypatch.setenv("HEALTH_PORT", str(other))
        assert main(["health"]) == 1


def test_health_imports_nothing_heavy() -> None:
    # A container runs it every few seconds.
    code = (
        "import json, sys\n"
        "from baselib.cli import main\n"
        f"main(['health', '--port', '{free_port()}'])\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout.splitlines()[-1])) & HEAVY == set()


def test_the_embedded_aws_makes_queues_and_ends_at_sigterm(launch: Launch) -> None:
    port = free_port()
    program = launch("aws", "--port", str(port), "--queue", "main", "--queue", "bulk")
    program.ready(lambda: "embedded AWS at" in program.output, "it says where it is")
    lines = program.output.splitlines()
    assert [line.split("/")[-1] for line in lines[:2]] == ["main", "bulk"]
    assert lines[2] == f"embedded AWS at http://127.0.0.1:{port}"
    sqs = boto3.client(
        "sqs",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    queues = {url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]}
    assert queues == {"main", "main_dead_letter", "bulk", "bulk_dead_letter"}
    program.send(signal.SIGTERM)
    assert program.wait() == 0


def test_the_embedded_aws_ends_at_ctrl_c(launch: Launch) -> None:
    program = launch("aws", "--port", str(free_port()))
    program.ready(lambda: "embedded AWS at" in program.output, "it says where it is")
    program.press_ctrl_c()
    assert program.wait() in {0, 130}
    assert "Traceback" not in program.errors


def test_the_embedded_aws_says_that_its_port_is_taken(launch: Launch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        program = launch("aws", "--port", port)
        assert program.wait() == 78
    (line,) = (program.output + program.errors).splitlines()
    assert port in line


def test_dev_outside_of_a_service_says_so(launch: Launch, tmp_path: Path) -> None:
    program = launch("dev")
    assert program.wait() == 2
    (line,) = program.errors.splitlines()
    assert ".copier-answers.yml" in line
    assert str(tmp_path) in line


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "baselib.cli", "--version"], capture_output=True, text=True, check=True
    )
    script = subprocess.run(
        [str(Path(sys.executable).with_name("baselib")), "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == script.stdout != ""

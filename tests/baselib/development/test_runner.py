"""`baselib dev` in a small service made by hand."""

import json
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from baselib.development import run
from baselib.development.runner import command
from baselib.testing.embedded_aws import CREDENTIALS, REGION
from tests.baselib.processes import Launch, Program, alive, ask, descendants, free_port, status, until

WEB = """
import os
from baselib.web import create_app

def routes(app, service):
    app.add_url_rule("/", view_func=lambda: "{answer}")
    app.add_url_rule("/environment", view_func=lambda: dict(os.environ), endpoint="environment")

app = create_app(__name__, routes=routes)
"""
WORKER = """
import pathlib
from baselib.worker import Worker

worker = Worker(lambda worker: worker.handle(lambda message: pathlib.Path("handled").write_text(message.body)))
"""
CRON = """
from baselib.worker import Job

job = Job(lambda service: print("the job ran", flush=True))
"""


def _answers(kind: str) -> dict[str, Any]:
    return {"product": "duolingo", "service": "word-list", "owner": "platform", "kind": kind}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("web", ["serve", "--host", "127.0.0.1", "duolingo_word_list.app:app"]),
        ("worker-daemon", ["worker", "--host", "127.0.0.1", "duolingo_word_list.worker:worker"]),
        ("worker-cron", ["cron", "duolingo_word_list.job:job"]),
    ],
)
def test_the_command_is_that_of_the_container_on_this_machine(kind: str, expected: list[str]) -> None:
    assert command(_answers(kind)) == [sys.executable, "-m", "baselib.cli", *expected]


def _service(folder: Path, kind: str, module: str, source: str) -> Path:
    (folder / ".copier-answers.yml").write_text(json.dumps(_answers(kind)))
    package = folder / "src" / "duolingo_word_list"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / f"{module}.py").write_text(source)
    return package / f"{module}.py"


def _web(folder: Path) -> Path:
    return _service(folder, "web", "app", WEB.format(answer="old"))


def _answer(port: int) -> bytes | None:
    answer = ask(port, "/")
    return answer.body if answer else None


def _ended(program: Program, started: set[int]) -> None:
    assert started
    program.wait()
    until(lambda: not [process for process in started if alive(process)], "no process is left", 10)


def test_outside_of_a_service_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 2
    assert "run this in the root of a service's repository" in capsys.readouterr().err


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _web(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(tmp_path, port=port) == 2
    told = capsys.readouterr()
    assert told.err == f"port {port} is taken: choose another with --port\n"
    assert told.out == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_reload_a_service_runs_until_it_is_told_to_stop(
    tmp_path: Path, launch: Launch, number: signal.Signals
) -> None:
    _web(tmp_path)
    port = free_port()
    program = launch("dev", "--no-reload", "--port", str(port))
    program.ready(lambda: status(port, "/healthz/ready") == 200, "it is ready")
    assert _answer(port) == b"old"
    assert f"http://127.0.0.1:{port}/healthz/ready" in program.output
    started = descendants(program.id)
    if number == signal.SIGINT:
        program.press_ctrl_c()
    else:
        program.send(number)
    _ended(program, started)
    assert "Traceback" not in program.errors


def test_with_reload_a_change_is_answered_and_ctrl_c_leaves_no_process(tmp_path: Path, launch: Launch) -> None:
    module = _web(tmp_path)
    port = free_port()
    program = launch("dev", "--port", str(port))
    program.ready(lambda: _answer(port) == b"old", "the old answer")

    module.write_text(WEB.format(answer="new"))
    program.ready(lambda: _answer(port) == b"new", "the new answer")
    module.write_text("this is no Python")
    program.ready(lambda: _answer(port) is None, "the mistake has ended the service")
    until(lambda: "SyntaxError" in program.output + program.errors, "the mistake is told")
    module.write_text(WEB.format(answer="mended"))
    program.ready(lambda: _answer(port) == b"mended", "the service is back")
    started = descendants(program.id)
    program.press_ctrl_c()
    _ended(program, started)
    assert status(port, "/") is None


def test_the_port_that_was_asked_for_is_the_one_even_where_another_is_set(tmp_path: Path, launch: Launch) -> None:
    _web(tmp_path)
    asked, set_ = free_port(), free_port()
    program = launch("dev", "--no-reload", "--port", str(asked), PORT=str(set_))
    program.ready(lambda: status(asked, "/healthz/live") or status(set_, "/healthz/live"), "it answers somewhere")
    assert status(asked, "/healthz/live") == 200
    program.press_ctrl_c()
    program.wait()


def test_what_the_developer_has_set_goes_before_what_is_made_up_save_for_aws(tmp_path: Path, launch: Launch) -> None:
    _web(tmp_path)
    port = free_port()
    program = launch(
        "dev",
        "--no-reload",
        "--port",
        str(port),
        SERVICE_OWNER="me",
        AWS_ENDPOINT_URL="http://192.0.2.1",
        AWS_ACCESS_KEY_ID="real",
    )
    answer = program.ready(lambda: ask(port, "/environment"), "it answers")
    environment = json.loads(answer.body)
    assert environment["SERVICE_OWNER"] == "me"
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert environment["AWS_ACCESS_KEY_ID"] != "real"
    program.press_ctrl_c()
    program.wait()


def test_a_worker_has_a_queue_of_its_own(tmp_path: Path, launch: Launch) -> None:
    _service(tmp_path, "worker-daemon", "worker", WORKER)
    port = free_port()
    program = launch("dev", "--no-reload", "--port", str(port))
    program.ready(lambda: status(port, "/healthz/ready") == 200, "it is ready")
    (line,) = [line for line in program.output.splitlines() if line.startswith("QUEUE_URL")]
    url = line.split()[1]
    assert url.endswith("/duolingo-word-list-local")
    boto3.client(
        "sqs",
        endpoint_url=url.rsplit("/", 2)[0],
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    ).send_message(QueueUrl=url, MessageBody="hello")
    handled = tmp_path / "handled"
    program.ready(lambda: handled.exists() and handled.read_text() == "hello", "the message is handled")
    started = descendants(program.id)
    program.press_ctrl_c()
    _ended(program, started)


def test_a_job_runs_once_and_its_exit_code_is_told(tmp_path: Path, launch: Launch) -> None:
    _service(tmp_path, "worker-cron", "job", CRON)
    program = launch("dev")
    assert program.wait() == 0
    assert program.output.count("the job ran") == 1


def test_a_job_that_fails_is_a_failure_of_the_command(tmp_path: Path, launch: Launch) -> None:
    _service(tmp_path, "worker-cron", "job", CRON.replace("print(", "1 / 0 or print("))
    assert launch("dev").wait() == 70

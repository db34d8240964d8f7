"""`baselib serve` with gunicorn itself, as a process."""

import json
import signal
import textwrap
import threading
from collections import Counter
from pathlib import Path
from typing import Self

import pytest

from tests.baselib.processes import IDENTITY, Answer, Launch, Program, ask, descendants, free_port, status, until

SOURCE = """
    import os, pathlib, time
    from baselib import container
    from baselib.web import create_app

    # The machine of the test may have a memory limit of its own.
    container.memory = lambda: None

    def routes(app, service):
        @app.get("/")
        def process():
            return str(os.getpid())

        @app.get("/slow")
        def slow():
            pathlib.Path("begun").touch()
            while not pathlib.Path("go").exists():
                time.sleep(0.02)
            return "finished"

    app = create_app(__name__, routes=routes)
"""


class Server:
    """A web service as a process."""

    def __init__(self, folder: Path, launch: Launch, **environment: str) -> None:
        (folder / "service.py").write_text(textwrap.dedent(SOURCE))
        self.folder = folder
        self.port = free_port()
        self.program: Program = launch(
            "serve",
            "--host",
            "127.0.0.1",
            "service:app",
            **{**IDENTITY, "PORT": str(self.port), "WEB_CONCURRENCY": "2", "DRAIN_SECONDS": "0.2", **environment},
        )
        self.program.ready(lambda: status(self.port, "/healthz/ready") == 200, "it is ready")
        count = int(environment.get("WEB_CONCURRENCY", "2"))
        self.program.ready(lambda: len(self.workers()) == count, "every worker is there")

    def workers(self) -> set[int]:
        """The ids of the processes that answer."""
        return descendants(self.program.id)


class Caller:
    """Calls a path again and again while its `with` block runs, and keeps every answer."""

    def __init__(self, server: Server, path: str) -> None:
        self._server = server
        self.path = path
        self.answers: list[Answer | None] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(0.01):
            self.answers.append(ask(self._server.port, self.path))

    @property
    def processes(self) -> set[int]:
        """Who has answered."""
        return {int(answer.body) for answer in self.answers if answer and answer.status == 200}

    @property
    def statuses(self) -> Counter[int | None]:
        """How it was answered; None where nobody answered."""
        return Counter(answer.status if answer else None for answer in self.answers)


def test_sigterm_turns_readiness_off_while_requests_are_still_answered(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch, DRAIN_SECONDS="2")
    server.program.send(signal.SIGTERM)
    server.program.ready(lambda: status(server.port, "/healthz/ready") == 503, "readiness is off")
    answer = ask(server.port, "/healthz/ready")
    assert answer is not None
    assert json.loads(answer.body)["reason"] == "draining"
    # A second one neither ends the drain nor begins another.
    server.program.send(signal.SIGTERM)
    assert status(server.port, "/") == 200
    assert status(server.port, "/healthz/live") == 200
    assert server.program.wait() == 0
    assert len(server.program.logged("draining")) == 1
    assert len(server.program.logged("stopped")) == 1
    assert status(server.port, "/") is None


def test_a_request_in_flight_finishes_after_the_listener_has_closed(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch)
    answers: list[Answer | None] = []
    caller = threading.Thread(target=lambda: answers.append(ask(server.port, "/slow")))
    caller.start()
    server.program.ready((tmp_path / "begun").exists, "the slow request has begun")
    server.program.send(signal.SIGTERM)
    server.program.ready(lambda: ask(server.port, "/healthz/live", 1) is None, "the listener is closed")
    (tmp_path / "go").touch()
    caller.join()
    (answer,) = answers
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"finished")
    assert server.program.wait() == 0


def test_liveness_is_answered_while_every_request_thread_but_one_is_busy(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch, WEB_CONCURRENCY="1", WEB_THREADS="2")
    caller = threading.Thread(target=lambda: ask(server.port, "/slow"))
    caller.start()
    server.program.ready((tmp_path / "begun").exists, "the slow request has begun")
    assert status(server.port, "/healthz/live") == 200
    (tmp_path / "go").touch()
    caller.join()


@pytest.mark.parametrize("callers", [2, 6, 20])
def test_liveness_and_readiness_are_answered_while_every_request_thread_is_busy(
    tmp_path: Path, launch: Launch, callers: int
) -> None:
    server = Server(tmp_path, launch, WEB_CONCURRENCY="1", WEB_THREADS="2")
    answers: list[Answer | None] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(server.port, "/slow"))) for _ in range(callers)]
    for thread in threads:
        thread.start()
    server.program.ready((tmp_path / "begun").exists, "the slow requests have begun")
    for _ in range(5):
        for path in ("/healthz/live", "/healthz/ready"):
            answer = ask(server.port, path, seconds=5)
            assert answer is not None
            assert answer.status == 200
    (tmp_path / "go").touch()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers if answer] == [200] * callers
    assert status(server.port, "/") == 200


def test_ctrl_c_ends_the_service(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch)
    workers = server.workers()
    assert len(workers) == 2
    server.program.press_ctrl_c()
    assert server.program.wait() == 0
    until(lambda: not server.workers(), "no worker is left")


def test_a_reload_serves_on_with_other_processes(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch)
    before = server.workers()
    with Caller(server, "/") as caller:
        server.program.send(signal.SIGHUP)
        server.program.ready(lambda: caller.processes - before, "another process answers")
        server.program.ready(lambda: len(server.workers()) == 2 and not server.workers() & before, "the old ones ended")
    assert set(caller.statuses) == {200}
    assert status(server.port, "/healthz/ready") == 200
    server.program.send(signal.SIGTERM)
    assert server.program.wait() == 0


def test_a_wrong_environment_ends_with_78_and_a_line_for_each_variable(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "service.py").write_text(
        "from baselib.web import create_app\n"
        "app = create_app(__name__, data_stores=['postgres'], hard_dependencies=['shop-prices'])\n"
    )
    program = launch("serve", "service:app", **{**IDENTITY, "PORT": "http", "SERVICE_OWNER": ""})
    assert program.wait() == 78
    lines = program.errors.splitlines()
    assert [line.split()[2] for line in lines] == ["SERVICE_OWNER", "PORT", "DATABASE_URL", "SHOP_PRICES_URL"]
    assert all(line.startswith("configuration error: ") for line in lines)


def test_an_application_without_baselib_is_served_too_and_needs_the_identity(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "plain.py").write_text("def app(environ, start):\n    start('200 OK', [])\n    return [b'plain']\n")
    program = launch("serve", "plain:app")
    assert program.wait() == 78
    assert "SERVICE_PRODUCT" in program.errors
    port = free_port()
    program = launch("serve", "--host", "127.0.0.1", "plain:app", **IDENTITY, PORT=str(port), PYTHONPATH=str(tmp_path))
    answer = program.ready(lambda: ask(port, "/"), "it answers")
    assert answer.body == b"plain"


@pytest.mark.parametrize("location", ["nothing:app", "service:nothing", "broken:app"])
def test_an_application_that_cannot_be_imported_ends_with_70(tmp_path: Path, launch: Launch, location: str) -> None:
    (tmp_path / "service.py").write_text("app = None\n")
    (tmp_path / "broken.py").write_text("raise RuntimeError('broken on import')\n")
    program = launch("serve", location, **IDENTITY)
    assert program.wait() == 70
    assert "crashed" in program.output + program.errors


def test_an_application_that_create_app_did_not_make_is_served_and_said(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "wrapped.py").write_text(
        textwrap.dedent(
            """
            from baselib.web import create_app
            inner = create_app(__name__)

            def app(environ, start_response):
                return inner(environ, start_response)
            """
        )
    )
    port = free_port()
    program = launch("serve", "--host", "127.0.0.1", "wrapped:app", **IDENTITY, PORT=str(port))
    program.ready(lambda: status(port, "/healthz/live") == 200, "it answers")
    assert "wrapped:app is not what create_app returned" in program.output + program.errors

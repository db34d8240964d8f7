"""The life of a worker as a process, against a stub of SQS."""

import json
import signal
import socket
import textwrap
from pathlib import Path

import pytest

from baselib.lifecycle import Life
from baselib.memory import Fit
from baselib.telemetry import metrics
from baselib.worker import Worker
from baselib.worker.daemon import Daemon
from tests.baselib.processes import IDENTITY, Launch, Program, alive, ask, descendants, free_port, status, until
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault

ENVIRONMENT = {**IDENTITY, "SERVICE_NAME": "mailer", "QUEUE_URL": "http://127.0.0.1:9/1/main"}

SOURCE = """
    import pathlib, time
    from baselib.worker import Worker

    def handle(message):
        pathlib.Path(message.body).touch()
        while message.body.startswith("slow") and not pathlib.Path("go").exists():
            time.sleep(0.02)

    worker = Worker(lambda worker: worker.handle(handle){more})
"""


class Running:
    """A worker as a process, with a queue of its own in the stub."""

    def __init__(
        self, folder: Path, launch: Launch, stub: Stub, source: str = SOURCE.format(more=""), ready: int = 200
    ) -> None:
        (folder / "mailer.py").write_text(textwrap.dedent(source))
        self.folder, self.stub = folder, stub
        self.port = free_port()
        self.url = stub.make_queue(f"running-{self.port}")
        self.program: Program = launch(
            "worker",
            "--host",
            "127.0.0.1",
            "mailer:worker",
            **ENVIRONMENT | stub.environment | {"QUEUE_URL": self.url, "HEALTH_PORT": str(self.port)},
        )
        self.program.ready(lambda: status(self.port, "/healthz/ready") == ready, "it is up")

    def put(self, *bodies: str) -> None:
        """Send messages."""
        self.stub.fill(self.url, bodies)

    def begun(self, body: str) -> None:
        """Wait until the handler has begun with a message."""
        self.program.ready((self.folder / body).exists, f"{body} has begun")

    def counts(self) -> tuple[int, int]:
        """How many messages can be received, and how many are held."""
        counts = self.stub.counts(self.url)
        return counts.visible, counts.in_flight


@pytest.fixture
def running(tmp_path: Path, launch: Launch, stub: Stub) -> Running:
    return Running(tmp_path, launch, stub)


def test_a_worker_handles_deletes_drains_and_gives_back(running: Running) -> None:
    assert status(running.port, "/healthz/live") == 200
    assert status(running.port, "/nothing") == 404
    running.put("quick")
    running.begun("quick")
    until(lambda: running.counts() == (0, 0), "it is deleted")

    running.put("slow")
    running.begun("slow")
    running.program.send(signal.SIGTERM)
    running.program.ready(lambda: status(running.port, "/healthz/ready") == 503, "it drains")
    answer = ask(running.port, "/healthz/ready")
    assert answer is not None
    assert json.loads(answer.body)["reason"] == "draining"
    assert status(running.port, "/healthz/live") == 200
    # A second one changes nothing.
    running.program.send(signal.SIGTERM)
    running.put("late")
    # What arrives between the signal and the stop of the receivers, a moment later, may still be handled.
    late = running.folder / "late"
    until(lambda: late.exists() or running.counts() == (1, 1), "the late message is handled or visible again")
    (running.folder / "go").touch()
    assert running.program.wait() == 0
    assert running.counts() == (0 if late.exists() else 1, 0)
    assert len(running.program.logged("draining")) == 1
    (line,) = running.program.logged("stopped")
    assert line["undeleted"] == 0
    assert status(running.port, "/healthz/live") is None


def test_what_cannot_be_deleted_until_the_end_is_counted(running: Running) -> None:
    running.stub.add_faults(Fault("throttle", actions=("DeleteMessageBatch",)))
    running.put("one", "two")
    running.begun("one")
    running.begun("two")
    running.program.press_ctrl_c()
    assert running.program.wait(15) == 0
    (line,) = running.program.logged("stopped")
    assert line["undeleted"] == 2


WAITING = """
    import pathlib
    from baselib.worker import Worker

    def register(worker):
        @worker.service.start_up("warm", retry=0.05)
        def warm():
            pathlib.Path("warm").stat()

        worker.handle(lambda message: pathlib.Path(message.body).touch())

    worker = Worker(register)
"""


def test_no_message_is_taken_before_the_start_up_functions_are_done(tmp_path: Path, launch: Launch, stub: Stub) -> None:
    running = Running(tmp_path, launch, stub, WAITING, ready=503)
    running.put("first")
    answer = ask(running.port, "/healthz/ready")
    assert answer is not None
    assert json.loads(answer.body)["reason"].startswith("starting")
    assert status(running.port, "/healthz/live") == 200
    assert running.counts() == (1, 0)
    (tmp_path / "warm").touch()
    running.begun("first")
    running.program.ready(lambda: status(running.port, "/healthz/ready") == 200, "it is ready")


def test_a_worker_that_waits_for_its_start_up_can_be_stopped(tmp_path: Path, launch: Launch, stub: Stub) -> None:
    running = Running(tmp_path, launch, stub, WAITING, ready=503)
    running.put("first")
    running.program.send(signal.SIGTERM)
    assert running.program.wait(15) == 0
    assert running.counts() == (1, 0)


def test_ctrl_c_ends_a_worker_without_waiting_for_its_long_poll_and_gives_back(running: Running) -> None:
    running.put("slow")
    running.begun("slow")
    running.program.press_ctrl_c()
    # Less than the 20 s of a long poll, and of what runs.
    assert running.program.wait(15) == 0
    # Not (1, 0) for now: see test_what_is_given_back_at_the_deadline_does_not_go_to_our_own_long_poll.
    assert sum(running.counts()) == 1
    (line,) = running.program.logged("stopped")
    assert line["given_back"] >= 1


def test_a_crash_loses_no_message(running: Running) -> None:
    running.put("slow")
    running.begun("slow")
    running.program.kill()
    assert running.counts() == (0, 1)


def test_a_worker_all_of_whose_threads_are_held_beyond_the_limit_is_not_alive(
    tmp_path: Path, launch: Launch, stub: Stub
) -> None:
    source = SOURCE.format(more=", threads=2").replace("worker.handle(handle)", "worker.handle(handle, limit=0.2)")
    running = Running(tmp_path, launch, stub, source)
    running.put("slow-1")
    running.begun("slow-1")
    running.program.ready(
        lambda: running.program.logged("a handler takes longer than its limit"), "it is told with its stack"
    )
    assert status(running.port, "/healthz/live") == 200
    running.put("slow-2")
    running.begun("slow-2")
    running.program.ready(lambda: status(running.port, "/healthz/live") == 503, "it is not alive")


def test_handlers_in_processes_outlive_nothing_and_survive_ctrl_c_until_the_drain(
    tmp_path: Path, launch: Launch, stub: Stub
) -> None:
    running = Running(tmp_path, launch, stub, SOURCE.format(more=", processes=2"))
    running.put("quick")
    running.begun("quick")
    until(lambda: running.counts() == (0, 0), "it is deleted")
    running.put("slow")
    running.begun("slow")
    children = descendants(running.program.id)
    assert children
    running.program.press_ctrl_c()
    assert running.program.wait(15) == 0
    assert sum(running.counts()) == 1
    until(lambda: not any(alive(child) for child in children), "the processes have ended")
    assert "Traceback" not in running.program.errors


LOOPING = """
    import pathlib
    from baselib.worker import Worker

    def tick():
        with pathlib.Path("ticks").open("a") as file:
            file.write("x")

    def serve(stopping):
        pathlib.Path("serving").touch()
        stopping.wait()
        pathlib.Path("served").touch()

    def register(worker):
        worker.loop(tick, every=0.02)
        worker.keep_running(serve)

    worker = Worker(register, queue=False)
"""


def test_a_worker_without_a_queue_has_the_same_life(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "mailer.py").write_text(textwrap.dedent(LOOPING))
    port = free_port()
    environment = {**IDENTITY, "SERVICE_NAME": "mailer", "HEALTH_PORT": str(port)}
    program = launch("worker", "--host", "127.0.0.1", "mailer:worker", **environment)
    program.ready(lambda: status(port, "/healthz/ready") == 200, "it is ready")
    program.ready((tmp_path / "serving").exists, "it runs")
    ticks = tmp_path / "ticks"
    program.ready(lambda: ticks.exists() and len(ticks.read_text()) > 3, "it turns")
    assert status(port, "/healthz/live") == 200
    program.send(signal.SIGTERM)
    assert program.wait(15) == 0
    assert (tmp_path / "served").exists()
    assert len(program.logged("stopped")) == 1


def test_a_taken_health_port_ends_with_78_and_names_the_port(tmp_path: Path, launch: Launch, stub: Stub) -> None:
    (tmp_path / "mailer.py").write_text(textwrap.dedent(SOURCE.format(more="")))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environment = {**ENVIRONMENT, **stub.environment, "HEALTH_PORT": port}
        program = launch("worker", "--host", "127.0.0.1", "mailer:worker", **environment)
        assert program.wait() == 78
    (line,) = [line for line in program.errors.splitlines() if line]
    assert "HEALTH_PORT" in line
    assert port in line


def test_a_wrong_environment_ends_with_78_and_a_line_for_each_variable(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "mailer.py").write_text(textwrap.dedent(SOURCE.format(more="")))
    program = launch("worker", "mailer:worker", **{**ENVIRONMENT, "QUEUE_URL": "", "HEALTH_PORT": "x"})
    assert program.wait() == 78
    assert [line.split()[2] for line in program.errors.splitlines()] == ["HEALTH_PORT", "QUEUE_URL"]


@pytest.mark.parametrize("place", ["nothing:worker", "mailer:nothing", "mailer:Worker"])
def test_what_cannot_be_run_has_crashed(tmp_path: Path, launch: Launch, place: str) -> None:
    (tmp_path / "mailer.py").write_text(textwrap.dedent(SOURCE.format(more="")))
    program = launch("worker", place, **ENVIRONMENT)
    assert program.wait() == 70
    assert "crashed" in program.output + program.errors


def _daemon() -> Daemon:
    worker = Worker(lambda worker: worker.loop(print, every=1), queue=False, environ=ENVIRONMENT, life=Life())
    return Daemon(worker, {}, Life())


def test_memory_over_the_limit_stops_the_task_once(captured_metrics: list[str]) -> None:
    daemon = _daemon()
    metrics.configure(captured_metrics.append, prefix="test")
    captured_metrics.clear()
    fit = Fit(100)
    fit.note(50, 0.0)
    fit.note(50, 60.0)
    daemon._relieve(fit, 101)
    daemon._relieve(fit, 101)
    assert daemon._stop.is_set()
    assert daemon._exit_code == 75
    assert captured_metrics == ["test.restarts:1|c|#cause:memory-task"]


def test_a_limit_that_never_fitted_stops_nothing_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    daemon = _daemon()
    fit = Fit(100)
    daemon._relieve(fit, 101)
    daemon._relieve(fit, 101)
    assert not daemon._stop.is_set()
    assert [record.message for record in caplog.records if "too low" in record.message] == [
        "memory has never been below the limit: the limit is too low for this service"
    ]


def test_the_memory_of_the_processes_of_handlers_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = _daemon()
    assert len(daemon._process_ids()) == 1

    class _Processes:
        ids = (123, 456)

    monkeypatch.setattr(daemon, "_processes", _Processes())
    assert daemon._process_ids()[1:] == [123, 456]

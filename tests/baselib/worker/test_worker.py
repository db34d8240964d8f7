"""A worker daemon: what becomes of a message, and its life as a process."""

import json
import signal
import socket
import textwrap
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from baselib.contract import ConfigurationError
from baselib.lifecycle import Life
from baselib.memory import Fit
from baselib.telemetry import current_span, metrics
from baselib.testing import EmbeddedAws, sqs_message
from baselib.worker import Message, Reject, Retry, Worker
from baselib.worker.consumer import Outcome
from tests.baselib.processes import IDENTITY, Launch, Program, ask, free_port, status, until

ENVIRONMENT = {**IDENTITY, "SERVICE_NAME": "mailer", "QUEUE_URL": "http://127.0.0.1:9/1/main"}
TRACE = "1-67891233-abcdef012345678912345678"


class Welcome(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)


def _worker(function: Any, **more: Any) -> Worker:
    body = more.pop("body", None)
    environ = {**ENVIRONMENT, **more.pop("environ", {})}
    return Worker(lambda worker: worker.handle(function, body=body), environ=environ, life=Life(), **more)


def _message_with_id(request_id: str) -> dict[str, Any]:
    attributes: Any = {"X-Request-Id": request_id}
    return sqs_message("text", **attributes)


def _raising(error: BaseException) -> Any:
    def handler(_: Message[Any]) -> None:
        raise error

    return handler


def test_a_message_whose_handler_returns_is_done() -> None:
    seen: list[Message[str]] = []
    worker = _worker(seen.append)
    assert worker.handle_raw(sqs_message("text", receive_count=3, colour="blue")) == (Outcome.DONE, None)
    (message,) = seen
    assert (message.body, message.receive_count, message.queue) == ("text", 3, "main")
    assert message.attributes == {"colour": "blue"}
    assert 0 <= message.age < 60


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Reject("never"), (Outcome.REJECTED, None)),
        (Retry("later"), (Outcome.RETRIED, None)),
        (Retry("later", 7), (Outcome.RETRIED, 7)),
        (ValueError("broken"), (Outcome.RETRIED, None)),
        (SystemExit(1), (Outcome.RETRIED, None)),
        (ConfigurationError(["a missing variable"]), (Outcome.RETRIED, None)),
    ],
)
def test_what_a_handler_raises_says_what_becomes_of_the_message(
    error: BaseException, expected: tuple[Outcome, float | None]
) -> None:
    # An exception that got through would end the handler's thread, and after four of them the worker does nothing.
    assert _worker(_raising(error)).handle_raw(sqs_message("text")) == expected


def test_a_body_that_fits_is_given_as_the_model() -> None:
    seen: list[Any] = []
    worker = _worker(lambda message: seen.append(message.body), body=Welcome)
    assert worker.handle_raw(sqs_message(Welcome(name="Ana")))[0] is Outcome.DONE
    assert seen == [Welcome(name="Ana")]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{}", "/name"),
        ('{"name": ""}', "/name"),
        ('{"name": 1}', "/name"),
        ('{"name": "Ana", "admin": true}', "/admin"),
        ("[]", "Welcome"),
        ("nonsense", "JSON"),
        ("", "JSON"),
    ],
)
def test_a_body_that_does_not_fit_is_rejected_with_the_reason(
    caplog: pytest.LogCaptureFixture, body: str, told: str
) -> None:
    worker = _worker(_raising(AssertionError("it must not be called")), body=Welcome)
    raw = sqs_message(body)
    assert worker.handle_raw(raw) == (Outcome.REJECTED, None)
    (record,) = [record for record in caplog.records if record.getMessage() == "rejected"]
    assert record.levelname == "ERROR"
    assert told in record.__dict__["reason"]
    assert record.__dict__["message_id"] == raw["MessageId"]


def test_a_rejection_does_not_log_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    _worker(_raising(AssertionError()), body=Welcome).handle_raw(sqs_message('{"password": "hunter2"}'))
    assert "hunter2" not in json.dumps([record.__dict__ for record in caplog.records], default=str)


def test_a_failure_is_logged_once_with_its_stack(capsys: pytest.CaptureFixture[str]) -> None:
    worker = _worker(_raising(ValueError("broken")))
    capsys.readouterr()
    worker.handle_raw(sqs_message("text"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if "error.stack" in line]
    assert (line["message"], line["error.message"]) == ("handler failed", "broken")


def test_the_ids_of_the_sender_are_in_every_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    worker = _worker(_raising(Reject("never")))
    raw = _message_with_id("from-the-sender")
    raw["Attributes"]["AWSTraceHeader"] = f"Root={TRACE};Sampled=1"
    capsys.readouterr()
    worker.handle_raw(raw)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["rejected", "message finished"]
    assert {(line["request_id"], line["trace_id"]) for line in lines} == {("from-the-sender", TRACE)}
    assert lines[1]["outcome"] == "rejected"
    assert lines[1]["message_id"] == raw["MessageId"]


@pytest.mark.parametrize("given", ["", "a b", "a\nb", "x" * 129, '"'])
def test_an_id_that_could_forge_something_is_replaced(given: str) -> None:
    seen: list[str] = []

    def note(_: Message[str]) -> None:
        span = current_span()
        seen.append(span.request_id if span else "")

    _worker(note).handle_raw(_message_with_id(given))
    assert len(seen[0]) == 32
    assert current_span() is None


def test_messages_are_counted_by_queue_and_outcome(captured_metrics: list[str]) -> None:
    worker = _worker(lambda message: None)
    other = _worker(_raising(Reject("never")))
    metrics.configure(captured_metrics.append, prefix="test")
    captured_metrics.clear()
    worker.handle_raw(sqs_message("text"))
    other.handle_raw(sqs_message("text"))
    lines = "\n".join(captured_metrics).splitlines()
    assert [line for line in lines if line.startswith("test.messages:")] == [
        "test.messages:1|c|#queue:main,outcome:done",
        "test.messages:1|c|#queue:main,outcome:rejected",
    ]
    assert len([line for line in lines if line.startswith("test.messages.time:")]) == 2
    ages = [line for line in lines if line.startswith("test.messages.age:")]
    assert [line.rpartition("|#")[2] for line in ages] == ["queue:main"] * 2


def test_each_queue_has_its_own_handler() -> None:
    seen: list[str] = []

    def register(worker: Worker) -> None:
        worker.handle(lambda message: seen.append(f"main {message.queue}"))
        worker.handle(lambda message: seen.append(f"bulk {message.queue}"), queue="bulk")

    environ = {**ENVIRONMENT, "QUEUE_BULK_URL": "http://127.0.0.1:9/1/bulk"}
    worker = Worker(register, queues=["bulk"], environ=environ, life=Life())
    worker.handle_raw(sqs_message("text"), "bulk")
    worker.handle_raw(sqs_message("text"))
    assert seen == ["bulk bulk", "main main"]


def test_a_handler_for_a_queue_that_was_not_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="'bulk' is not declared"):
        Worker(lambda worker: worker.handle(print, queue="bulk"), environ=ENVIRONMENT, life=Life())


def test_a_second_handler_for_a_queue_is_refused() -> None:
    def register(worker: Worker) -> None:
        worker.handle(print)
        worker.handle(print)

    with pytest.raises(ValueError, match="'main' has a handler already"):
        Worker(register, environ=ENVIRONMENT, life=Life())


def test_a_worker_without_a_handler_does_not_run() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ValueError, match="no handler for main"):
        Worker(lambda _: None, environ=ENVIRONMENT, life=Life()).run("127.0.0.1")
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_worker_without_its_queue_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="QUEUE_URL is not set"):
        Worker(lambda _: None, environ={**ENVIRONMENT, "QUEUE_URL": ""}, life=Life())


def test_memory_over_the_limit_stops_the_task_once(captured_metrics: list[str]) -> None:
    worker = _worker(print)
    metrics.configure(captured_metrics.append, prefix="test")
    captured_metrics.clear()
    fit = Fit(100)
    fit.note(50, 0.0)
    fit.note(50, 60.0)
    worker._relieve(fit, 101)
    worker._relieve(fit, 101)
    assert worker._stop.is_set()
    assert worker._exit_code == 75
    assert captured_metrics == ["test.restarts:1|c|#cause:memory-task"]


def test_a_limit_that_never_fitted_stops_nothing_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    worker = _worker(print)
    fit = Fit(100)
    worker._relieve(fit, 101)
    worker._relieve(fit, 101)
    assert not worker._stop.is_set()
    assert [record.message for record in caplog.records if "too low" in record.message] == [
        "memory has never been below the limit: the limit is too low for this service"
    ]


SOURCE = """
    import pathlib, time
    from baselib.worker import Worker

    def handle(message):
        pathlib.Path(message.body).touch()
        while message.body == "slow" and not pathlib.Path("go").exists():
            time.sleep(0.02)

    worker = Worker(lambda worker: worker.handle(handle))
"""


class Running:
    """A worker as a process, with a queue of its own in the embedded AWS."""

    def __init__(self, folder: Path, launch: Launch, embedded: EmbeddedAws, source: str = SOURCE) -> None:
        (folder / "mailer.py").write_text(textwrap.dedent(source))
        self.folder = folder
        self.port = free_port()
        self.url = embedded.make_queue(f"running-{self.port}")
        self.sqs = embedded.client("sqs")
        self.program: Program = launch(
            "worker",
            "--host",
            "127.0.0.1",
            "mailer:worker",
            **ENVIRONMENT | embedded.environment | {"QUEUE_URL": self.url, "HEALTH_PORT": str(self.port)},
        )
        expected = 200 if source is SOURCE else 503
        self.program.ready(lambda: status(self.port, "/healthz/ready") == expected, "it is up")

    def put(self, body: str) -> None:
        """Send a message."""
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def begun(self, body: str) -> None:
        """Wait until the handler has begun with a message."""
        self.program.ready((self.folder / body).exists, f"{body} has begun")

    def counts(self) -> tuple[int, int]:
        """How many messages can be received, and how many are held."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])


@pytest.fixture
def running(tmp_path: Path, launch: Launch, embedded_aws_server: EmbeddedAws) -> Running:
    return Running(tmp_path, launch, embedded_aws_server)


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
    until(lambda: running.counts() == (1, 1), "the message of the drain is visible, and only the slow one held")
    (running.folder / "go").touch()
    assert running.program.wait() == 0
    assert running.counts() == (1, 0)
    assert not (running.folder / "late").exists()
    assert len(running.program.logged("draining")) == 1
    assert len(running.program.logged("stopped")) == 1
    assert status(running.port, "/healthz/live") is None


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


def test_no_message_is_taken_before_the_start_up_functions_are_done(
    tmp_path: Path, launch: Launch, embedded_aws_server: EmbeddedAws
) -> None:
    running = Running(tmp_path, launch, embedded_aws_server, WAITING)
    running.put("first")
    answer = ask(running.port, "/healthz/ready")
    assert answer is not None
    assert json.loads(answer.body)["reason"].startswith("starting")
    assert status(running.port, "/healthz/live") == 200
    assert running.counts() == (1, 0)
    (tmp_path / "warm").touch()
    running.begun("first")
    running.program.ready(lambda: status(running.port, "/healthz/ready") == 200, "it is ready")


def test_a_worker_that_waits_for_its_start_up_can_be_stopped(
    tmp_path: Path, launch: Launch, embedded_aws_server: EmbeddedAws
) -> None:
    running = Running(tmp_path, launch, embedded_aws_server, WAITING)
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
    assert running.counts() == (1, 0)


def test_a_crash_loses_no_message(running: Running) -> None:
    running.put("slow")
    running.begun("slow")
    running.program.kill()
    assert running.counts() == (0, 1)


def test_a_taken_health_port_ends_with_78_and_names_the_port(
    tmp_path: Path, launch: Launch, embedded_aws_server: EmbeddedAws
) -> None:
    (tmp_path / "mailer.py").write_text(textwrap.dedent(SOURCE))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environment = {**ENVIRONMENT, **embedded_aws_server.environment, "HEALTH_PORT": port}
        program = launch("worker", "--host", "127.0.0.1", "mailer:worker", **environment)
        assert program.wait() == 78
    (line,) = [line for line in program.errors.splitlines() if line]
    assert "HEALTH_PORT" in line
    assert port in line


def test_a_wrong_environment_ends_with_78_and_a_line_for_each_variable(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "mailer.py").write_text(textwrap.dedent(SOURCE))
    program = launch("worker", "mailer:worker", **{**ENVIRONMENT, "QUEUE_URL": "", "HEALTH_PORT": "x"})
    assert program.wait() == 78
    assert [line.split()[2] for line in program.errors.splitlines()] == ["HEALTH_PORT", "QUEUE_URL"]


@pytest.mark.parametrize("place", ["nothing:worker", "mailer:nothing", "mailer:Worker"])
def test_what_cannot_be_run_has_crashed(tmp_path: Path, launch: Launch, place: str) -> None:
    (tmp_path / "mailer.py").write_text(textwrap.dedent(SOURCE))
    program = launch("worker", place, **ENVIRONMENT)
    assert program.wait() == 70
    assert "crashed" in program.output + program.errors

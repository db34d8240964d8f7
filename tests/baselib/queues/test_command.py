"""`baselib queue` as a process of its own: signals, a terminal, and what is wrong with the surroundings."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.baselib.processes import PATIENCE_SECONDS, Launch
from tests.baselib.queues.conftest import Queue
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault

NO_TASKS = Fault("error", actions=("ListMessageMoveTasks",), status=403, code="AccessDeniedException")


@pytest.fixture
def dead(stub: Stub, name: str) -> str:
    """The name of the empty dead-letter queue of the queue `name`."""
    stub.make_queue_with_dead_letters(name)
    return f"{name}-dead"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_gives_back_what_a_peek_holds(stub: Stub, dead: str, launch: Launch, number: signal.Signals) -> None:
    stub.fill(dead, 200)
    stub.set_faults(Fault("latency", actions=("ReceiveMessage",), milliseconds=300))
    ran = launch("queue", "peek", dead, "--count", "200", **stub.environment)
    ran.ready(lambda: stub.counts(dead).in_flight >= 10, "it holds some")
    ran.send(number)
    assert ran.wait() == 130
    # Also of the receive that was under way.
    assert stub.counts(dead) == (200, 0, 0)
    assert "Traceback" not in ran.errors
    assert "stopping" in ran.errors


def test_ctrl_c_ends_a_move_in_batches_between_two_of_them(stub: Stub, name: str, dead: str, launch: Launch) -> None:
    stub.fill(dead, 300)
    stub.set_faults(NO_TASKS, Fault("latency", actions=("SendMessageBatch",), milliseconds=200))
    ran = launch("queue", "redrive", dead, "--yes", **stub.environment)
    ran.ready(lambda: stub.counts(name).visible >= 20, "it moves")
    ran.press_ctrl_c()
    assert ran.wait() == 130
    left, moved = stub.counts(dead), stub.counts(name)
    assert left.in_flight == 0
    assert left.visible + moved.visible == 300
    assert f"moved {moved.visible} messages from {dead} to {name}" in ran.output
    assert "interrupted" in ran.errors


def test_ctrl_c_cancels_the_task_of_sqs(stub: Stub, name: str, dead: str, launch: Launch, sqs: Any) -> None:
    stub.fill(dead, 300)
    ran = launch("queue", "redrive", dead, "--yes", "--rate", "20", **stub.environment)
    ran.ready(lambda: stub.counts(name).visible >= 5, "it moves")
    ran.press_ctrl_c()
    assert ran.wait() == 130
    assert sqs.list_message_move_tasks(SourceArn=stub.arn(dead))["Results"][0]["Status"] == "CANCELLED"
    moved = stub.counts(name).visible
    assert stub.counts(dead).visible == 300 - moved
    assert f"moved {moved} messages" in ran.output


class Typing:
    """A command on a terminal, on which somebody types."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "baselib.cli", "queue", *arguments],
            env={"PATH": os.environ["PATH"], **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            # A shell lets what it runs in the background ignore Ctrl-C, and that is inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - takes no lock
        )
        os.close(theirs)
        self.seen = ""

    def sees(self, text: str) -> None:
        """Wait until the terminal shows a text."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.seen and time.monotonic() < deadline:
            if select.select([self._ours], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self._ours, 4096).decode()
                except OSError:
                    break
        assert text in self.seen

    def types(self, line: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{line}\n".encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def typing() -> Iterator[Any]:
    running: list[Typing] = []

    def start(stub: Stub, *arguments: str) -> Typing:
        running.append(Typing(list(arguments), stub.environment))
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, 0), ("", 1, 7), ("n", 1, 7)])
def test_a_redrive_is_agreed_to(stub: Stub, dead: str, typing: Any, answer: str, code: int, left: int) -> None:
    stub.fill(dead, 7)
    command = typing(stub, "redrive", dead)
    command.sees("Go on? [y/N] ")
    assert f"from   {dead}: 7 visible" in command.seen
    assert stub.counts(dead).visible == 7
    command.types(answer)
    command.sees("moved 7 messages" if answer == "y" else "nothing was moved")
    assert command.process.wait(PATIENCE_SECONDS) == code
    assert stub.counts(dead).visible == left


@pytest.mark.parametrize("right", [True, False])
def test_a_purge_needs_the_name(stub: Stub, dead: str, typing: Any, right: bool) -> None:
    stub.fill(dead, 7)
    command = typing(stub, "purge", dead)
    command.sees(f"Type {dead} to go on: ")
    command.types(dead if right else "yes")
    command.sees("purged" if right else "nothing was deleted")
    assert command.process.wait(PATIENCE_SECONDS) == (0 if right else 1)
    assert stub.counts(dead).visible == (0 if right else 7)


def test_progress_is_one_line_of_a_terminal(stub: Stub, dead: str, typing: Any) -> None:
    stub.fill(dead, 40)
    stub.set_faults(NO_TASKS)
    command = typing(stub, "redrive", dead, "--yes")
    command.sees("moved 40 messages")
    assert "\r10 of 40 moved\r20 of 40 moved" in command.seen


def test_ctrl_c_at_the_question_changes_nothing(stub: Stub, dead: str, typing: Any) -> None:
    stub.fill(dead, 7)
    command = typing(stub, "redrive", dead)
    command.sees("[y/N] ")
    os.killpg(command.process.pid, signal.SIGINT)
    assert command.process.wait(PATIENCE_SECONDS) == 130
    assert stub.counts(dead) == (7, 0, 0)


def test_nothing_listens(stub: Stub, launch: Launch) -> None:
    ran = launch("queue", "peek", "orders", **{**stub.environment, "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9"})
    assert ran.wait() == 1
    assert ran.errors == 'orders: Could not connect to the endpoint URL: "http://127.0.0.1:9/"\n'


@pytest.mark.parametrize(
    ("changed", "code", "told"),
    [
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, 78, "configuration error: AWS_REGION is not set"),
        ({"AWS_ENDPOINT_URL_SQS": "nonsense"}, 78, "Invalid endpoint: nonsense"),
        ({"LOG_MASKED_FIELDS": "a b"}, 78, "LOG_MASKED_FIELDS is 'a b'"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, 1, "no AWS credentials: log in, or set AWS_PROFILE"),
        ({"AWS_PROFILE": "nobody"}, 1, "The config profile (nobody) could not be found"),
        ({"ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1:9/v4"}, 1, "static keys are not accepted"),
    ],
)
def test_what_is_wrong_around_it_is_one_line(
    stub: Stub, dead: str, launch: Launch, changed: dict[str, str], code: int, told: str
) -> None:
    environment = {name: value for name, value in {**stub.environment, **changed}.items() if value}
    ran = launch("queue", "peek", dead, **{"HOME": "/nonexistent", **environment})
    assert ran.wait() == code
    assert told in ran.errors
    assert len(ran.errors.splitlines()) == 1


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("AccessDeniedException", "these credentials need sqs:GetQueueUrl"),
        ("ExpiredTokenException", "the AWS credentials have expired: log in again"),
        ("InvalidClientTokenId", "AWS does not know these credentials"),
    ],
)
def test_what_aws_refuses_is_one_line(stub: Stub, dead: str, queue: Queue, code: str, told: str) -> None:
    stub.set_faults(Fault("error", status=403, code=code))
    ran = queue("peek", dead)
    assert (ran.code, ran.output) == (1, "")
    assert told in ran.errors
    assert len(ran.errors.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["peek", "two words"],
        ["peek", ""],
        ["peek", "arn:aws:sns:eu-west-1:000000000000:orders"],
        ["peek", "http://127.0.0.1/"],
        ["peek", "http://[/orders"],
        ["peek", "orders", "--count", "0"],
        ["redrive", "orders", "--rate", "501"],
        ["redrive", "orders", "--id", "1", "--match", "2"],
        [],
    ],
)
@pytest.mark.usefixtures("stub")
def test_what_is_no_queue_or_no_command(arguments: list[str], queue: Queue) -> None:
    assert queue(*arguments).code == 2


def test_no_dead_letter_queue(stub: Stub, name: str, queue: Queue) -> None:
    stub.make_queue(name)
    ran = queue("peek", name, "--dead-letters")
    assert (ran.code, ran.errors) == (1, f"{name} has no dead-letter queue (its RedrivePolicy names none)\n")

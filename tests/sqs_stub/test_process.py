"""The stub as a process: it starts by command, is controlled by its client, and stays behind nobody."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.baselib.processes import alive, until
from tests.sqs_stub.client import Stub, sqs_stub
from tests.sqs_stub.fault import Fault

_ROOT = Path(__file__).resolve().parents[2]
_STARTER = """
import sys, time
from tests.sqs_stub.client import sqs_stub
with sqs_stub() as stub:
    print(stub.process, flush=True)
    time.sleep(600)
"""

_FORKING_STARTER = """
import os, sys, time
from tests.sqs_stub.client import sqs_stub
with sqs_stub() as stub:
    child = os.fork()
    if child:
        print(stub.process, child, flush=True)
    time.sleep(600)
"""


def test_it_ends_with_the_block() -> None:
    with sqs_stub() as stub:
        assert alive(stub.process)
    assert not alive(stub.process)


def test_it_ends_when_its_standard_input_closes() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sqs_stub", "--parent", str(os.getpid())],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        assert int(process.stdout.readline())
        process.stdin.close()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_it_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _STARTER], cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        process = int(parent.stdout.readline())
        assert alive(process)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.communicate()
    until(lambda: not alive(process), "the stub ends")


def test_it_ends_with_its_parent_also_when_a_child_of_that_lives_on() -> None:
    # The child holds the other end of the stub's standard input.
    parent = subprocess.Popen([sys.executable, "-c", _FORKING_STARTER], cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    process, child = map(int, parent.stdout.readline().split())
    parent.send_signal(signal.SIGKILL)
    try:
        until(lambda: not alive(process), "the stub ends")
        assert alive(child)
    finally:
        os.kill(child, signal.SIGKILL)
        parent.communicate()


def test_it_serves_until_it_is_killed_when_started_by_command() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sqs_stub", "--no-ledger"],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        stub = Stub(int(process.stdout.readline()))
        stub.fill(stub.make_queue("q"), ["a", "b"])
        assert stub.bodies("q") == ["a", "b"]
        with pytest.raises(ValueError, match="the ledger is off"):
            stub.ledger()
        stub.switch_ledger(on=True)
        stub.fill("q", ["c"])
        assert [event.detail for event in stub.ledger()] == ["c"]
        assert process.poll() is None
    finally:
        process.terminate()
        process.communicate()


def test_it_counts_calls_and_entries(stub: Stub, queue: str) -> None:
    sqs = stub.client()
    stub.reset_statistics()
    stub.fill(queue, 3)
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    sqs.receive_message(QueueUrl=queue)
    sqs.delete_message_batch(
        QueueUrl=queue, Entries=[{"Id": each["Body"], "ReceiptHandle": each["ReceiptHandle"]} for each in messages]
    )
    stub.set_faults(Fault("throttle"))
    with pytest.raises(sqs.exceptions.ClientError):
        sqs.receive_message(QueueUrl=queue)
    sqs.close()

    statistics = stub.statistics()

    of_queue = statistics.queues[queue.rpartition("/")[2]]
    assert statistics.calls == {"ReceiveMessage": 3, "DeleteMessageBatch": 1}
    assert statistics.faults == {"throttle": 1}
    assert of_queue.calls == {"ReceiveMessage": 2, "DeleteMessageBatch": 1}
    assert of_queue.entries == {"ReceiveMessage": 3, "DeleteMessageBatch": 3}
    assert of_queue.empty_receives == 1


def test_control_says_what_is_wrong(stub: Stub) -> None:
    with pytest.raises(ValueError, match="there is no queue 'absent'"):
        stub.counts("absent")
    with pytest.raises(ValueError, match="InvalidAttributeName"):
        stub.make_queue("odd", Odd="1")

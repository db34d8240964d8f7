"""`baselib queue purge` deletes what it was told to, and saves it first where that is asked for."""

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.baselib.queues.conftest import Queue
from tests.sqs_stub import ledger
from tests.sqs_stub.client import Stub
from tests.sqs_stub.fault import Fault


@pytest.fixture
def full(stub: Stub, name: str) -> str:
    """The name of a queue with 25 messages."""
    stub.make_queue(name)
    stub.fill(name, 25)
    return name


def test_everything_is_gone(stub: Stub, full: str, queue: Queue) -> None:
    ran = queue("purge", full, "--yes", "--json")
    assert (ran.code, ran.document) == (0, {"queue": full, "deleted": 25, "saved": None})
    assert stub.counts(full) == (0, 0, 0)


def test_a_second_purge_within_a_minute(stub: Stub, full: str, queue: Queue) -> None:
    queue("purge", full, "--yes")
    ran = queue("purge", full, "--yes")
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors == f"{full} was purged within the last 60 s: try again in a minute\n"


@pytest.mark.parametrize("more", [[], ["--save", "file"]])
def test_nobody_to_ask(
    stub: Stub, full: str, queue: Queue, more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = queue("purge", full, *more)
    assert (ran.code, ran.output) == (2, "")
    assert "25 visible" in ran.errors
    assert stub.counts(full) == (25, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_is_saved_is_all_there_and_for_its_owner_alone(
    stub: Stub, full: str, queue: Queue, sqs: Any, tmp_path: Path
) -> None:
    attributes = {"picture": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sqs.send_message(QueueUrl=f"{stub.url}/000000000000/{full}", MessageBody="é\u2028\n", MessageAttributes=attributes)
    file = tmp_path / "saved.jsonl"
    ran = queue("purge", full, "--yes", "--save", str(file), "--json")
    assert ran.code == 0
    assert (ran.document["saved"], ran.document["deleted"], ran.document["left"]) == (26, 26, 0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    messages = [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]
    assert {message["body"] for message in messages} == {*(str(number) for number in range(25)), "é\u2028\n"}
    [picture] = [message["attributes"]["picture"] for message in messages if message["attributes"]]
    assert base64.b64decode(picture["BinaryValue"]) == b"\x00\xff"
    # Nothing that was sent meanwhile is deleted unsaved.
    assert not [event for event in stub.ledger(full) if event.what == ledger.PURGED]


@pytest.mark.parametrize("there", ["file", "link", "folder missing"])
def test_nothing_is_written_over(stub: Stub, full: str, queue: Queue, tmp_path: Path, there: str) -> None:
    file = tmp_path / "saved.jsonl"
    if there == "file":
        file.write_text("precious")
    elif there == "link":
        file.symlink_to(tmp_path / "elsewhere")
    else:
        file = tmp_path / "nowhere" / "saved.jsonl"
    ran = queue("purge", full, "--yes", "--save", str(file))
    assert ran.code == 2
    assert len(ran.errors.splitlines()) == 1
    assert stub.counts(full) == (25, 0, 0)
    assert there != "file" or file.read_text() == "precious"


def test_a_full_disk_deletes_nothing_that_is_not_saved(
    stub: Stub, full: str, queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, calls = os.write, []

    def filling(descriptor: int, data: bytes) -> int:
        if descriptor == 2:
            return write(descriptor, data)
        calls.append(data)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        # Half of it, as a disk that is nearly full does.
        return write(descriptor, data[: len(data) // 2] if len(calls) == 2 else data)

    monkeypatch.setattr(os, "write", filling)
    file = tmp_path / "saved.jsonl"
    ran = queue("purge", full, "--yes", "--save", str(file), "--json")
    assert ran.code == 1
    assert "No space left on device" in ran.errors
    saved = [json.loads(line)["body"] for line in file.read_text().splitlines()]
    assert len(saved) == ran.document["deleted"] == 10
    assert sorted(saved + stub.bodies(full), key=int) == [str(number) for number in range(25)]
    assert stub.counts(full) == (15, 0, 0)


def test_what_is_saved_and_cannot_be_deleted_is_named(stub: Stub, full: str, queue: Queue, tmp_path: Path) -> None:
    stub.set_faults(Fault("error", actions=("DeleteMessageBatch",), status=403, code="AccessDeniedException"))
    ran = queue("purge", full, "--yes", "--save", str(tmp_path / "saved"), "--json")
    assert (ran.code, ran.document["deleted"], ran.document["saved"]) == (1, 0, 10)
    assert len(ran.document["in_both"]) == 10
    assert stub.counts(full) == (25, 0, 0)
    assert "these credentials need sqs:DeleteMessageBatch" in ran.errors

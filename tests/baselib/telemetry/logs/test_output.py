"""Output: a stream that is closed, broken, full or stuck loses lines and never fails or stops whoever logs."""

import contextlib
import fcntl
import io
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

import pytest

from baselib.telemetry.logs import handler as handler_module
from baselib.telemetry.logs import log_handler, output
from tests.baselib.processes import PATIENCE_SECONDS


def _logger(stream: TextIO, form: Any = "json") -> logging.Logger:
    logger = logging.Logger("shop")  # noqa: LOG001
    logger.addHandler(log_handler({}, form, stream))
    return logger


@pytest.fixture
def pipe() -> Any:
    """The two ends of a pipe that holds two pages, so that it is full soon."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 8192)
    stream = os.fdopen(writer, "w", encoding="utf-8")
    yield reader, stream
    os.close(reader)
    # It may hold lines that nobody can have any more.
    with contextlib.suppress(OSError):
        stream.close()


def test_a_closed_stream_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    logger = _logger(stream)
    stream.close()
    logger.error("lost")
    logger.handlers[0].flush()
    assert capsys.readouterr().err == ""


def test_a_full_disk_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        logger = _logger(full)
        logger.error("lost")
        logger.error("lost")
        # What could not be written is still in the buffer.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, full.fileno())
        os.close(nowhere)
    assert capsys.readouterr().err == ""


def test_a_broken_pipe_changes_neither_the_exit_code_nor_standard_error() -> None:
    program = """
import logging, sys, time
from baselib.contract import Settings
from baselib.telemetry.logs import configure_logs
configure_logs(Settings(product="duolingo", service="api", owner="platform", log_format="json"))
for number in range(1000):
    logging.getLogger("shop").info("x" * 1000)
sys.exit(75)
"""
    started = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert started.stdout is not None
    started.stdout.close()
    _, errors = started.communicate(timeout=PATIENCE_SECONDS)
    assert (started.returncode, errors) == (75, b"")


def test_a_reader_that_stops_reading_stops_nobody_and_is_told_what_it_missed(pipe: Any) -> None:
    reader, stream = pipe
    logger = _logger(stream)
    done = threading.Event()

    def write() -> None:
        for number in range(40):
            logger.info("line %d %s", number, "x" * 500)
        done.set()

    threading.Thread(target=write, daemon=True).start()
    assert done.wait(PATIENCE_SECONDS)
    read = os.read(reader, 1 << 16)
    logger.info("after")
    read += os.read(reader, 1 << 16)
    lines = [json.loads(line) for line in read.decode().splitlines()]
    messages = [line["message"].split(" x")[0] for line in lines]
    assert messages[-2:] == ["log lines were lost", "after"]
    assert lines[-2]["lost"] == 40 - (len(lines) - 2)
    assert messages[:-2] == [f"line {number}" for number in range(len(lines) - 2)]


def test_a_thread_that_is_stuck_in_writing_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(io.StringIO):
        entered, released = threading.Event(), threading.Event()

        def write(self, text: str) -> int:
            self.entered.set()
            self.released.wait(PATIENCE_SECONDS)
            return super().write(text)

    monkeypatch.setattr(handler_module, "PATIENCE_SECONDS", 0.01)
    stream = Stuck()
    logger = _logger(stream)
    thread = threading.Thread(target=logger.info, args=("first",))
    thread.start()
    assert stream.entered.wait(PATIENCE_SECONDS)
    for _ in range(100):
        logger.info("lost")
    stream.released.set()
    thread.join(PATIENCE_SECONDS)
    logger.info("after")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["first", "log lines were lost", "after"]
    assert lines[1]["lost"] == 100


def test_characters_that_the_stream_cannot_hold_are_escaped() -> None:
    held = io.BytesIO()
    logger = _logger(io.TextIOWrapper(held, encoding="ascii"), "console")
    logger.info("sold é")
    assert b"sold \\xe9" in held.getvalue()


def test_a_formatter_that_raises_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            raise RuntimeError("broken")

    logger = _logger(io.StringIO())
    logger.handlers[0].setFormatter(Broken())
    logger.error("lost")
    assert "RuntimeError: broken" in capsys.readouterr().err


def test_a_filter_of_the_handler_is_obeyed() -> None:
    stream = io.StringIO()
    logger = _logger(stream)
    logger.handlers[0].addFilter(lambda record: record.levelno >= logging.ERROR)
    logger.info("quiet")
    logger.error("loud")
    assert "loud" in stream.getvalue()
    assert "quiet" not in stream.getvalue()


def test_the_stream_can_be_exchanged() -> None:
    first, second = io.StringIO(), io.StringIO()
    logger = _logger(first)
    handler: Any = logger.handlers[0]
    assert handler.setStream(second) is first
    logger.info("here")
    assert first.getvalue() == ""
    assert "here" in second.getvalue()


def test_a_child_forked_while_a_line_is_written_can_log(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, released = threading.Event(), threading.Event()

    def slow(self: output.Output, line: str) -> bool:
        if threading.current_thread() is not threading.main_thread():
            entered.set()
            released.wait(PATIENCE_SECONDS)
        return True

    monkeypatch.setattr(output.Output, "write", slow)
    logger = _logger(io.StringIO())
    thread = threading.Thread(target=logger.info, args=("first",))
    thread.start()
    assert entered.wait(PATIENCE_SECONDS)
    child = os.fork()
    if child == 0:
        handler: Any = logger.handlers[0]
        logger.info("in the child")
        os._exit(handler._lost)
    _, status = os.waitpid(child, 0)
    released.set()
    thread.join(PATIENCE_SECONDS)
    assert os.waitstatus_to_exitcode(status) == 0

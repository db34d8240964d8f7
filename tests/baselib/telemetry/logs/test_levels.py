"""Levels: changed for a time in one process or in all, and back without anybody's doing."""

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from baselib.contract import Settings
from baselib.telemetry.logs import levels, request_level, set_level
from baselib.telemetry.logs.level_file import LevelChange, LevelFile, level_path
from baselib.telemetry.logs.levels import LEVELS, TemporaryLevels
from tests.baselib.processes import PATIENCE_SECONDS, Program, until

SETTINGS = Settings(product="duolingo", service="api", owner="platform")


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("shop.orders.of.a.test")
    logger.setLevel(logging.ERROR)
    yield logger
    set_level(logger.name, "INFO", 0)
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def file(tmp_path: Path) -> LevelFile:
    return LevelFile(tmp_path / "baselib" / "levels.json")


def _change(logger: logging.Logger, level: str, seconds: float = 600.0) -> LevelChange:
    now = time.monotonic()
    return LevelChange(logger.name, level, now, now + seconds)


def test_a_level_goes_back_by_itself(logger: logging.Logger) -> None:
    set_level(logger.name, "debug", 0.2)
    assert logger.level == logging.DEBUG
    until(lambda: logger.level == logging.ERROR, "the level before is back")


def test_of_two_changes_the_later_counts_and_then_the_one_before_it(logger: logging.Logger) -> None:
    set_level(logger.name, "INFO", 600)
    set_level(logger.name, "DEBUG", 0.2)
    assert logger.level == logging.DEBUG
    until(lambda: logger.level == logging.INFO, "the first change counts again")
    set_level(logger.name, "INFO", 0)
    assert logger.level == logging.ERROR


def test_a_first_change_that_ends_does_not_end_the_second(logger: logging.Logger) -> None:
    set_level(logger.name, "INFO", 0.1)
    set_level(logger.name, "DEBUG", 600)
    until(lambda: len(LEVELS._own) == 1, "the first change has ended")
    assert logger.level == logging.DEBUG
    set_level(logger.name, "DEBUG", 0)
    assert logger.level == logging.ERROR


def test_a_level_that_the_service_set_meanwhile_stays(logger: logging.Logger) -> None:
    set_level(logger.name, "DEBUG", 600)
    logger.setLevel(logging.CRITICAL)
    set_level(logger.name, "DEBUG", 0)
    assert logger.level == logging.CRITICAL


def test_the_root_logger_has_a_name() -> None:
    before = logging.getLogger().level
    set_level("root", "CRITICAL", 600)
    assert logging.getLogger().level == logging.CRITICAL
    set_level("", "CRITICAL", 0)
    assert logging.getLogger().level == before


@pytest.mark.parametrize(
    ("logger", "level", "seconds", "named"),
    [
        ("shop", "LOUD", 1, "level"),
        ("shop", "", 1, "level"),
        ("shop", "DEBUG", -1, "seconds"),
        ("shop", "DEBUG", 86_401, "seconds"),
        ("shop", "DEBUG", float("nan"), "seconds"),
        ("shop\n", "DEBUG", 1, "logger"),
        ("x" * 201, "DEBUG", 1, "logger"),
    ],
)
def test_what_is_not_acceptable_is_named(logger: str, level: str, seconds: float, named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named} is "):
        set_level(logger, level, seconds)
    with pytest.raises(ValueError, match=f"^{named} is "):
        request_level(SETTINGS, logger, level, seconds)


def test_what_is_written_is_obeyed_and_taken_back(logger: logging.Logger, file: LevelFile) -> None:
    levels_of_process = TemporaryLevels()
    levels_of_process._file = LevelFile(file.path)
    file.add(_change(logger, "DEBUG"))
    levels_of_process.look()
    assert logger.level == logging.DEBUG
    file.add(_change(logger, "DEBUG", 0))
    levels_of_process.look()
    assert logger.level == logging.ERROR


def test_a_file_that_vanishes_ends_what_it_asked_for(logger: logging.Logger, file: LevelFile) -> None:
    levels_of_process = TemporaryLevels()
    levels_of_process._file = LevelFile(file.path)
    file.add(_change(logger, "DEBUG"))
    levels_of_process.look()
    file.path.unlink()
    levels_of_process.look()
    assert logger.level == logging.ERROR


def test_requests_of_several_loggers_stand_side_by_side(file: LevelFile) -> None:
    now = time.monotonic()
    for name in ("a", "b", "a"):
        file.add(LevelChange(name, "DEBUG", now, now + 60))
    assert [change.logger for change in LevelFile(file.path).changes()] == ["a", "b", "a"]
    file.add(LevelChange("a", "DEBUG", now, now))
    assert [change.logger for change in LevelFile(file.path).changes()] == ["b"]


def test_the_file_has_an_end(file: LevelFile) -> None:
    now = time.monotonic()
    for number in range(150):
        file.add(LevelChange(f"logger {number}", "DEBUG", now, now + 60))
    assert len(LevelFile(file.path).changes()) == 100
    assert list(file.path.parent.iterdir()) == [file.path]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "{}",
        "[[]]",
        '[{"logger": "a"}]',
        '[{"logger": "a", "level": "LOUD", "since": 0, "until": 1}]',
        '[{"logger": "a", "level": "DEBUG", "since": 0, "until": "x"}]',
        '[{"logger": "a", "level": "DEBUG", "since": 0, "until": 1e18}]',
        '[{"logger": "a", "level": "DEBUG", "since": null, "until": 1}]',
        "[" * 50_000,
    ],
)
def test_a_file_that_says_nothing_sensible_is_not_obeyed(file: LevelFile, text: str) -> None:
    file.path.parent.mkdir()
    file.path.write_text(text)
    assert list(file.changes()) == []


def test_a_file_that_others_may_write_is_not_believed(logger: logging.Logger, file: LevelFile) -> None:
    file.add(_change(logger, "DEBUG"))
    assert len(LevelFile(file.path).changes()) == 1
    file.path.chmod(0o666)
    assert list(LevelFile(file.path).changes()) == []
    file.path.chmod(0o644)
    file.path.parent.chmod(0o777)
    assert list(LevelFile(file.path).changes()) == []
    with pytest.raises(PermissionError, match="others may write to it"):
        file.add(_change(logger, "DEBUG"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_another_user_is_not_believed(logger: logging.Logger, file: LevelFile) -> None:
    file.add(_change(logger, "DEBUG"))
    os.chown(file.path, 12345, 12345)
    assert list(LevelFile(file.path).changes()) == []


def test_a_link_or_a_pipe_in_the_files_place_is_not_read(logger: logging.Logger, file: LevelFile) -> None:
    file.add(_change(logger, "DEBUG"))
    elsewhere = file.path.with_name("elsewhere")
    file.path.rename(elsewhere)
    file.path.symlink_to(elsewhere)
    assert list(LevelFile(file.path).changes()) == []
    file.path.unlink()
    os.mkfifo(file.path, 0o644)
    assert list(LevelFile(file.path).changes()) == []


def test_each_service_of_a_machine_has_its_own_place() -> None:
    paths = {level_path(service, ports) for service in ("duolingo-api", "duolingo-web") for ports in [(1, 2), (3, 2)]}
    assert len(paths) == 4


PROGRAM = """
import logging, os, sys, time
from baselib.contract import Settings
from baselib.telemetry.logs import configure_logs
configure_logs(Settings(product="duolingo", service="api", owner="platform", port=int(sys.argv[1]), log_format="json"))
logger = logging.getLogger("shop.orders")
for _ in range(2):
    # As gunicorn preloads and forks.
    if os.fork() == 0:
        break
while True:
    logger.debug("seen", extra={"process": os.getpid()})
    logging.getLogger("shop.other").debug("never")
    time.sleep(0.05)
""".replace('"process": os', '"by": os')


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no shared memory to write to")
def test_a_request_reaches_every_process_that_was_forked_and_ends(tmp_path: Path) -> None:
    # No server listens: the number only tells one test from another.
    port = 1024 + os.getpid() % 60_000
    settings = Settings(product="duolingo", service="api", owner="platform", port=port)
    program = Program(["-c", PROGRAM, str(port)], tmp_path, {})
    try:
        assert program.logged("seen") == []
        request_level(settings, "shop.orders", "DEBUG", 600)
        until(lambda: len({line["by"] for line in program.logged("seen")}) == 3, "all three processes log more")
        request_level(settings, "shop.orders", "DEBUG", 0)

        def quiet() -> bool:
            before = len(program.logged("seen"))
            time.sleep(0.5)
            return len(program.logged("seen")) == before

        until(quiet, "all three processes log as before", PATIENCE_SECONDS)
        assert program.logged("never") == []
    finally:
        program.kill()
        path = levels._path(settings)
        path.unlink(missing_ok=True)
        path.parent.rmdir()
    assert "Traceback" not in program.errors

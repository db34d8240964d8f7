"""Libraries' loggers: what they would write to a standard stream joins our lines, everything else of theirs stays."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from baselib.contract import Settings
from baselib.telemetry.logs import configure_logs


@pytest.fixture
def library() -> Iterator[logging.Logger]:
    logger = logging.getLogger("library.that.logs")
    logger.propagate = False
    yield logger
    logger.propagate = True
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def _configured() -> io.StringIO:
    stream = io.StringIO()
    configure_logs(Settings(product="duolingo", service="api", owner="platform", log_format="json"), stream)
    return stream


@pytest.mark.parametrize("name", ["stdout", "stderr", "__stdout__", "__stderr__"])
def test_a_library_that_writes_to_a_standard_stream_writes_our_lines(library: logging.Logger, name: str) -> None:
    theirs = logging.StreamHandler(getattr(sys, name))
    library.addHandler(theirs)
    stream = _configured()
    library.warning("theirs")
    assert json.loads(stream.getvalue())["logger"] == "library.that.logs"
    assert theirs not in library.handlers


def test_a_librarys_file_stays_its_own(library: logging.Logger, tmp_path: Path) -> None:
    library.addHandler(logging.FileHandler(tmp_path / "audit.log", encoding="utf-8"))
    stream = _configured()
    library.warning("theirs")
    assert (tmp_path / "audit.log").read_text() == "theirs\n"
    assert stream.getvalue() == ""


def test_a_library_that_is_silent_stays_so(library: logging.Logger) -> None:
    library.addHandler(logging.NullHandler())
    stream = _configured()
    library.warning("theirs")
    assert stream.getvalue() == ""


def test_a_handler_that_basic_config_gave_the_root_writes_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handler = logging.StreamHandler(sys.stderr)
    root.addHandler(handler)
    stream = _configured()
    logging.getLogger("shop").warning("once")
    assert handler not in root.handlers
    assert json.loads(stream.getvalue())["message"] == "once"
    assert capsys.readouterr().err == ""


def test_a_stream_of_a_librarys_own_that_has_no_number_stays(library: logging.Logger) -> None:
    theirs = io.StringIO()
    library.addHandler(logging.StreamHandler(theirs))
    _configured()
    library.warning("theirs")
    assert theirs.getvalue() == "theirs\n"

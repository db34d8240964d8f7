"""`baselib log-level` beside a service that runs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from baselib.cli import main
from baselib.contract.endpoints import HEALTH_PORT
from baselib.telemetry.logs.level_file import level_path
from tests.baselib.processes import IDENTITY, Launch, Program, ask, free_port, status, until

APP = """
import logging
from baselib import create_app

def routes(app, service):
    @app.get("/say")
    def say():
        logging.getLogger("shop.orders").debug("said")
        logging.getLogger("shop.other").debug("said by another")
        return "ok"

app = create_app(__name__, routes=routes)
"""


def _says(program: Program, port: int, message: str) -> bool:
    """Whether a request from now on brings a line."""
    before = len(program.logged(message))
    answer = ask(port, "/say")
    assert answer is not None
    assert answer.status == 200
    return len(program.logged(message)) > before


@pytest.fixture
def port() -> Iterator[int]:
    """A port whose service leaves no request behind."""
    port = free_port()
    yield port
    shutil.rmtree(level_path("duolingo-api", (port, HEALTH_PORT)).parent, ignore_errors=True)


def test_every_worker_of_a_running_service_obeys_until_it_is_taken_back(
    launch: Launch, tmp_path: Path, port: int
) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    # A service that takes long to stop: that is no matter of the command.
    environment = {**IDENTITY, "PORT": str(port), "WEB_CONCURRENCY": "2", "DRAIN_SECONDS": "95"}
    service = launch("serve", "--host", "127.0.0.1", "app:app", **environment)
    service.ready(lambda: status(port, "/healthz/ready") == 200, "ready")
    assert not _says(service, port, "said")

    asked = launch("log-level", "shop.orders", "debug", "--for", "600", **environment)
    assert asked.wait() == 0
    assert asked.output == "shop.orders logs from DEBUG for 600 s\n"
    # Both workers, and the master that they were forked from.
    until(lambda: service.output.count("level of shop.orders is DEBUG for ") == 3, "every process obeys")
    assert _says(service, port, "said")
    assert not _says(service, port, "said by another")

    ended = launch("log-level", "shop.orders", "DEBUG", "--for", "0", **environment)
    assert ended.wait() == 0
    assert ended.output == "shop.orders logs as before\n"
    until(lambda: not _says(service, port, "said"), "the level is what it was")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["shop", "LOUD"], "level is 'LOUD': accepted is DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        (["shop", "DEBUG", "--for", "-1"], "seconds is -1.0: accepted is a number from 0 to 86400"),
        (["shop", "DEBUG", "--for", "nan"], "seconds is nan: accepted is a number from 0 to 86400"),
        (["shop", "DEBUG", "--for", "1e9"], "seconds is 1000000000.0: accepted is a number from 0 to 86400"),
        (["a\nb", "DEBUG"], "logger is no logger's name: accepted is a printable name of at most 200 characters"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(
    arguments: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    assert main(["log-level", *arguments]) == 2
    assert capsys.readouterr() == ("", f"{told}\n")


def test_without_the_variables_of_a_service_nobody_knows_whom_to_tell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in IDENTITY:
        monkeypatch.delenv(name, raising=False)
    assert main(["log-level", "shop", "DEBUG"]) == 78
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 3

"""`baselib migrate` as a task of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from baselib.cli import main
from tests.baselib.data_stores.servers import PASSWORD, Postgres, running
from tests.baselib.processes import IDENTITY, Launch, Program, free_port

REVISION = """
from alembic import op
import sqlalchemy as sa

revision = {revision!r}
down_revision = {after!r}


def upgrade():
    {upgrade}
"""


def _package(folder: Path) -> None:
    package = folder / "duolingo_api"
    (package / "migrations").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('nobody need import it')\n", encoding="utf-8")
    after = None
    for revision, column in (("r1", "n"), ("r2", "m"), ("r3", "n")):
        upgrade = f"op.create_table('{revision}', sa.Column('{column}', sa.Integer))"
        text = REVISION.format(revision=revision, after=after, upgrade=upgrade)
        (package / "migrations" / f"{revision}_file.py").write_text(text, encoding="utf-8")
        after = revision


@pytest.fixture
def database() -> Iterator[Postgres]:
    server = Postgres()
    with running(server):
        yield server


def _tables(server: Postgres) -> list[str]:
    return [name for (name,) in server.execute("SELECT tablename FROM pg_tables WHERE tablename ~ '^r' ORDER BY 1")]


def _crash(program: Program) -> dict[str, str]:
    """What the only log line about a crash says of the error."""
    assert program.wait() == 70
    (line,) = program.logged("crashed")
    assert PASSWORD not in program.output + program.errors
    return {name: line[f"error.{name}"] for name in ("type", "message")}


@pytest.mark.e2e
def test_revisions_are_applied_up_to_one_and_then_all(launch: Launch, tmp_path: Path, database: Postgres) -> None:
    # The budget of stopping is that of another process, and too long for this one.
    environment = {**IDENTITY, "DATABASE_URL": database.url, "LOG_LEVEL": "WARNING", "DRAIN_SECONDS": "95"}
    environment["PYTHONPATH"] = str(tmp_path)
    _package(tmp_path)
    for arguments, told, tables in (
        (["--revision", "r2"], "r1\nr2\n", ["r1", "r2"]),
        ([], "r3\n", ["r1", "r2", "r3"]),
        ([], "nothing to migrate\n", ["r1", "r2", "r3"]),
    ):
        program = launch("migrate", "duolingo_api", *arguments, **environment)
        assert program.wait() == 0, program.output + program.errors
        assert program.output == told
        assert _tables(database) == tables


@pytest.mark.e2e
def test_a_statement_that_fails_leaves_no_trace(launch: Launch, tmp_path: Path, database: Postgres) -> None:
    _package(tmp_path)
    database.execute("CREATE TABLE r2 (n integer)")
    program = launch("migrate", "duolingo_api", **IDENTITY, DATABASE_URL=database.url)
    assert _crash(program)["type"].endswith("ProgrammingError")
    assert "r1" in _tables(database)
    assert "r3" not in _tables(database)


@pytest.mark.e2e
def test_a_revision_that_is_not_there_is_named(launch: Launch, tmp_path: Path, database: Postgres) -> None:
    _package(tmp_path)
    program = launch("migrate", "duolingo_api", "--revision", "r9", **IDENTITY, DATABASE_URL=database.url)
    assert "r9" in _crash(program)["message"]


def test_a_database_that_cannot_be_reached_is_a_crash(launch: Launch, tmp_path: Path) -> None:
    _package(tmp_path)
    port = free_port()
    url = f"postgresql://app:{PASSWORD}@127.0.0.1:{port}/main"
    told = _crash(launch("migrate", "duolingo_api", **IDENTITY, DATABASE_URL=url))
    assert told["type"].endswith("OperationalError")
    assert str(port) in told["message"]


def test_the_missing_extra_is_named(launch: Launch, tmp_path: Path) -> None:
    _package(tmp_path)
    # As where it is not installed.
    (tmp_path / "alembic.py").write_text("raise ModuleNotFoundError(name='alembic')\n", encoding="utf-8")
    url = f"postgresql://app:{PASSWORD}@127.0.0.1:1/main"
    told = _crash(launch("migrate", "duolingo_api", **IDENTITY, DATABASE_URL=url, PYTHONPATH=str(tmp_path)))
    assert "require baselib[postgres]" in told["message"]


@pytest.mark.parametrize(
    ("package", "told"),
    [("duolingo_words", "there is no package 'duolingo_words'"), ("duolingo_empty", "there are no revision files")],
)
def test_a_package_without_migrations_is_named(package: str, told: str, launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "duolingo_empty").mkdir()
    (tmp_path / "duolingo_empty" / "__init__.py").touch()
    url = f"postgresql://app:{PASSWORD}@127.0.0.1:1/main"
    assert told in _crash(launch("migrate", package, **IDENTITY, DATABASE_URL=url))["message"]


def test_without_an_address_nothing_is_migrated(launch: Launch, tmp_path: Path) -> None:
    _package(tmp_path)
    program = launch("migrate", "duolingo_api", **IDENTITY)
    assert program.wait() == 78
    assert program.output == ""
    (line,) = program.errors.splitlines()
    assert line.startswith("configuration error: DATABASE_URL is not set: ")


@pytest.mark.parametrize("package", ["", "a b", "../a", ".a", "a.", "a/b", "a:b", "1a"])
def test_what_names_no_package_is_refused(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["migrate", package])
    assert caught.value.code == 2
    assert "is not the name of a package" in capsys.readouterr().err

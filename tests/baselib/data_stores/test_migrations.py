"""Migrations, against a real postgres: each once, whoever tries, and never in the way of the requests for long."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from baselib.contract import Settings
from baselib.data_stores import UndeclaredDataStoreError, migration_lock, migrations
from tests.baselib.data_stores.conftest import settings_of
from tests.baselib.data_stores.servers import Postgres
from tests.baselib.processes import until

Write = Callable[..., str]

FILE = """
from alembic import op
import sqlalchemy as sa

revision = {revision!r}
down_revision = {after!r}


def upgrade():
    {upgrade}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # A space and a per cent sign, which ConfigParser would read.
    made = tmp_path / "odd %(name)s folder" / "migrations"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def write(folder: Path) -> Write:
    """Writes the next revision file."""
    written: list[str] = []

    def write(upgrade: str) -> str:
        revision = f"r{len(written) + 1}"
        after = written[-1] if written else None
        text = FILE.format(revision=revision, after=after, upgrade=upgrade)
        (folder / f"{revision}_file.py").write_text(text, encoding="utf-8")
        written.append(revision)
        return revision

    return write


@pytest.fixture
def database(postgres_server: Postgres, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """A database of its own."""
    name = f"t{abs(hash(request.node.nodeid))}"
    postgres_server.execute(f"CREATE DATABASE {name}")
    yield settings_of({"postgres": postgres_server.url.replace("/postgres", f"/{name}")})
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _ask(settings: Settings, statement: str) -> list[tuple[object, ...]]:
    import psycopg  # noqa: PLC0415

    with psycopg.connect(settings.data_store_urls["postgres"]) as connection:
        return list(connection.execute(statement.encode()))


def test_a_new_revision_goes_on_from_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "duolingo_api"
    package.mkdir()
    # Importing the package would fail outside of its container.
    (package / "__init__.py").write_text("raise RuntimeError\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    first = migrations.revision("duolingo_api", "make orders")
    second = migrations.revision("duolingo_api", "add a price")
    assert first.parent == second.parent == package / "migrations"
    assert first.name.endswith("_make_orders.py")
    texts = [file.read_text(encoding="utf-8") for file in (first, second)]
    namespaces: list[dict[str, object]] = []
    for text in texts:
        namespaces.append({})
        exec(compile(text, "revision", "exec"), namespaces[-1])
    assert namespaces[0]["down_revision"] is None
    assert namespaces[1]["down_revision"] == namespaces[0]["revision"]
    assert capsys.readouterr().out == ""


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    settings = settings_of({"postgres": "postgresql://127.0.0.1:1/main"})
    with pytest.raises(ModuleNotFoundError, match="no package 'missing_package'"):
        migrations.upgrade(settings, "missing_package")
    with pytest.raises(NotADirectoryError, match="nowhere"):
        migrations.pending(settings, tmp_path / "nowhere")
    with pytest.raises(UndeclaredDataStoreError):
        migrations.current(settings_of(), tmp_path)


@pytest.mark.e2e
def test_revisions_are_applied_in_order_and_once(database: Settings, folder: Path, write: Write) -> None:
    assert migrations.upgrade(database, folder) == ()
    write("op.create_table('orders', sa.Column('n', sa.Integer))")
    write("op.add_column('orders', sa.Column('price', sa.Integer))")
    assert migrations.pending(database, folder) == ("r1", "r2")
    assert migrations.current(database, folder) == ()
    with pytest.raises(migrations.PendingMigrationsError, match="2 pending: r1, r2"):
        migrations.require_migrated(database, folder)
    assert migrations.upgrade(database, folder, "r1") == ("r1",)
    assert migrations.pending(database, folder) == ("r2",)
    assert migrations.upgrade(database, folder) == ("r2",)
    assert migrations.upgrade(database, folder) == ()
    assert migrations.current(database, folder) == ("r2",)
    migrations.require_migrated(database, folder)
    assert _ask(database, "SELECT n, price FROM orders") == []


@pytest.mark.e2e
def test_a_revision_that_fails_leaves_no_trace(database: Settings, folder: Path, write: Write) -> None:
    write("op.create_table('orders', sa.Column('n', sa.Integer))")
    write("op.create_table('half', sa.Column('n', sa.Integer)); op.execute('SELECT 1 / 0')")
    with pytest.raises(Exception, match="division by zero"):
        migrations.upgrade(database, folder)
    assert migrations.current(database, folder) == ("r1",)
    assert _ask(database, "SELECT to_regclass('half')") == [(None,)]
    # The lock is not held any more.
    (folder / "r2_file.py").unlink()
    assert migrations.upgrade(database, folder) == ()


@pytest.mark.e2e
def test_two_tasks_that_start_together_migrate_once(database: Settings, folder: Path, write: Write) -> None:
    write("op.create_table('orders', sa.Column('n', sa.Integer))")
    write("op.execute('INSERT INTO orders SELECT 1 FROM pg_sleep(0.2)')")
    applied: list[tuple[str, ...]] = []
    together = threading.Barrier(4, timeout=30)

    def migrate() -> None:
        together.wait()
        applied.append(migrations.upgrade(database, folder))

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(applied) == [(), (), (), ("r1", "r2")]
    assert _ask(database, "SELECT n FROM orders") == [(1,)]


@pytest.mark.e2e
def test_who_waits_does_not_hold_up_an_index_made_concurrently(database: Settings, folder: Path, write: Write) -> None:
    write("op.create_table('orders', sa.Column('n', sa.Integer))")
    write(
        'exec("with op.get_context().autocommit_block():\\n'
        " op.execute('SELECT pg_sleep(1)')\\n op.create_index('by_n', 'orders', ['n'], postgresql_concurrently=True)\")"
    )
    applied: list[tuple[str, ...]] = []
    threads = [threading.Thread(target=lambda: applied.append(migrations.upgrade(database, folder))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(applied) == [(), ("r1", "r2")]
    assert _ask(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_n'::regclass") == [(True,)]


@pytest.mark.e2e
def test_who_cannot_have_the_lock_gives_up_in_the_end(database: Settings, folder: Path) -> None:
    import psycopg  # noqa: PLC0415

    with psycopg.connect(database.data_store_urls["postgres"], autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (migration_lock.LOCK,))
        with pytest.raises(TimeoutError, match="another process has been migrating"):
            migrations.upgrade(database, folder, wait_seconds=0.1)
    assert migrations.upgrade(database, folder) == ()


@pytest.mark.e2e
def test_a_migration_gives_way_to_a_long_transaction_and_comes_again(
    database: Settings, folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import psycopg  # noqa: PLC0415

    write("op.create_table('orders', sa.Column('n', sa.Integer))")
    migrations.upgrade(database, folder)
    write("op.add_column('orders', sa.Column('price', sa.Integer))")
    monkeypatch.setattr(migrations, "_PAUSE_SECONDS", 0.05)
    applied: list[tuple[str, ...]] = []
    with psycopg.connect(database.data_store_urls["postgres"]) as reader:
        reader.execute("SELECT * FROM orders")
        migrating = threading.Thread(
            target=lambda: applied.append(migrations.upgrade(database, folder, lock_seconds=0.2))
        )
        migrating.start()
        until(lambda: "gives way" in caplog.text, "the migration gives way")
        # Nobody who comes after it has to wait for long.
        assert _ask(database, "SELECT n FROM orders") == []
        reader.rollback()
    migrating.join(60)
    assert applied == [("r2",)]


@pytest.mark.e2e
def test_an_index_made_concurrently_gives_way_too_and_is_valid_in_the_end(
    database: Settings, folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import psycopg  # noqa: PLC0415

    write("op.create_table('orders', sa.Column('n', sa.Integer))")
    migrations.upgrade(database, folder)
    write(
        'exec("with op.get_context().autocommit_block():\\n'
        " op.drop_index('by_n', postgresql_concurrently=True, if_exists=True)\\n"
        " op.create_index('by_n', 'orders', ['n'], postgresql_concurrently=True)\")"
    )
    monkeypatch.setattr(migrations, "_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(migrations, "_ATTEMPTS", 1000)
    applied: list[tuple[str, ...]] = []
    with psycopg.connect(database.data_store_urls["postgres"]) as writer:
        writer.execute("INSERT INTO orders VALUES (1)")
        migrating = threading.Thread(
            target=lambda: applied.append(migrations.upgrade(database, folder, lock_seconds=0.2))
        )
        migrating.start()
        until(lambda: caplog.text.count("gives way") > 1, "the migration gives way, and again")
        writer.commit()
    migrating.join(60)
    assert applied == [("r2",)]
    assert _ask(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_n'::regclass") == [(True,)]


@pytest.mark.e2e
def test_a_lock_that_is_never_free_is_an_error_in_the_end(
    database: Settings, folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg  # noqa: PLC0415

    write("op.create_table('orders', sa.Column('n', sa.Integer))")
    migrations.upgrade(database, folder)
    write("op.add_column('orders', sa.Column('price', sa.Integer))")
    monkeypatch.setattr(migrations, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(migrations, "_ATTEMPTS", 2)
    with psycopg.connect(database.data_store_urls["postgres"]) as reader:
        reader.execute("SELECT * FROM orders")
        with pytest.raises(Exception, match="lock timeout"):
            migrations.upgrade(database, folder, lock_seconds=0.05)
    assert migrations.current(database, folder) == ("r1",)


@pytest.mark.e2e
def test_after_a_rollback_of_the_service_the_database_stays_ahead(
    database: Settings, folder: Path, write: Write
) -> None:
    write("op.create_table('orders', sa.Column('n', sa.Integer))")
    write("op.add_column('orders', sa.Column('price', sa.Integer))")
    migrations.upgrade(database, folder)
    (folder / "r2_file.py").unlink()
    assert migrations.pending(database, folder) == ()
    assert migrations.upgrade(database, folder) == ()
    assert migrations.current(database, folder) == ("r2",)


@pytest.mark.e2e
def test_the_difference_to_the_models_is_written(database: Settings, folder: Path) -> None:
    from sqlalchemy import Column, Integer, MetaData, Table  # noqa: PLC0415

    metadata = MetaData()
    Table("orders", metadata, Column("n", Integer, primary_key=True))
    migrations.revision(folder, "make orders", settings=database, metadata=metadata)
    assert len(migrations.upgrade(database, folder)) == 1
    assert _ask(database, "SELECT n FROM orders") == []
    again = migrations.revision(folder, "nothing", settings=database, metadata=metadata)
    assert "pass" in again.read_text(encoding="utf-8")


@pytest.mark.e2e
def test_two_heads_are_an_error_that_says_so(database: Settings, folder: Path, write: Write) -> None:
    write("op.execute('SELECT 1')")
    for name in ("left", "right"):
        text = FILE.format(revision=name, after="r1", upgrade="pass")
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    with pytest.raises(Exception, match=r"[Mm]ultiple head"):
        migrations.upgrade(database, folder)
    assert migrations.pending(database, folder)[0] == "r1"

"""Records in the transaction of the effect: exactly once, on PostgreSQL and on SQLite."""

import random
import sqlite3
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, func, insert, inspect, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from baselib.testing import CapturedLogs
from baselib.worker.idempotency import create_handled_messages, forget_handled, handled_before, handled_messages
from baselib.worker.message import Reject
from tests.baselib.processes import Program, until
from tests.baselib.worker.idempotency.conftest import effects, message_of, metadata
from tools.template import ROOT


def handle(connection: Connection | Session, id: str = "m-1") -> bool:  # noqa: A002
    """A handler; whether it did something."""
    if handled_before(connection, message_of(id=id)):
        return False
    connection.execute(insert(effects).values(message=id))
    return True


def effects_in(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [str(name) for name in connection.scalars(select(effects.c.message).order_by(effects.c.message))]


def test_the_effect_is_there_once(engine: Engine, captured_metrics: list[str], captured_logs: CapturedLogs) -> None:
    with engine.begin() as connection:
        assert handle(connection)
    for _ in range(2):
        with engine.begin() as connection:
            assert not handle(connection)
    with engine.begin() as connection:
        assert handle(connection, "m-2")
    assert effects_in(engine) == ["m-1", "m-2"]
    assert captured_metrics == ["test.messages.duplicates:1|c|#queue:main"] * 2
    assert [line["message_id"] for line in captured_logs.with_message("handled before")] == ["m-1", "m-1"]


def test_a_rollback_takes_the_record_with_the_effect(engine: Engine) -> None:
    with engine.connect() as connection:
        assert handle(connection)
        connection.rollback()
    with engine.begin() as connection:
        assert handle(connection)
    assert effects_in(engine) == ["m-1"]


def test_a_session_is_a_transaction_too(session: Session, engine: Engine) -> None:
    with session.begin():
        assert handle(session)
        assert not handle(session)
    with session.begin():
        assert not handle(session)
    assert effects_in(engine) == ["m-1"]


def test_a_savepoint_that_is_rolled_back_takes_the_record_with_it(engine: Engine) -> None:
    with engine.begin() as connection:
        savepoint = connection.begin_nested()
        assert handle(connection)
        savepoint.rollback()
        with connection.begin_nested():
            assert handle(connection)
        assert not handle(connection)
    assert effects_in(engine) == ["m-1"]


def test_queues_and_keys_are_apart(engine: Engine) -> None:
    with engine.begin() as connection:
        assert not handled_before(connection, message_of())
        assert not handled_before(connection, message_of(queue="invoices"))
        assert not handled_before(connection, message_of(), key="order-1")
        assert not handled_before(connection, message_of(id="m-2"), key="order-1/mail")
        assert handled_before(connection, message_of(id="m-2"), key="order-1")
        # Nothing that a database does not take.
        assert not handled_before(connection, message_of(), key="\0" * 5000)
        assert handled_before(connection, message_of(), key="\0" * 5000)


def test_a_known_key_with_another_body_is_rejected_unless_that_is_switched_off(engine: Engine) -> None:
    with engine.begin() as connection:
        assert not handled_before(connection, message_of('{"a": 1}'), key="order-1")
        assert handled_before(connection, message_of('{"a":1}'), key="order-1")
        with pytest.raises(Reject, match="another body"):
            handled_before(connection, message_of('{"a": 2}'), key="order-1")
        assert handled_before(connection, message_of('{"a": 2}'), key="order-1", check_body=False)
        with pytest.raises(Reject, match="no idempotency key"):
            handled_before(connection, message_of(), key="")


def test_a_message_id_is_not_checked_against_a_body(engine: Engine) -> None:
    with engine.begin() as connection:
        assert not handled_before(connection, message_of("1"))
        assert handled_before(connection, message_of("2"))
        # The id that SNS or EventBridge gave it, where it came from there.
        assert handled_before(connection, replace(message_of(id="m-2"), event_id="m-1"))


@pytest.mark.parametrize(("end", "does"), [("rollback", True), ("commit", False)])
def test_a_second_transaction_waits_for_the_end_of_the_first(engine: Engine, end: str, does: bool) -> None:
    outcomes: list[bool] = []

    def second() -> None:
        with engine.begin() as connection:
            outcomes.append(handle(connection))

    thread = threading.Thread(target=second)
    with engine.connect() as first:
        assert handle(first)
        thread.start()
        until(lambda: _waits(engine, thread), "the second transaction waits")
        assert outcomes == []
        getattr(first, end)()
    thread.join(30)
    assert outcomes == [does]
    assert effects_in(engine) == ["m-1"]


def _waits(engine: Engine, thread: threading.Thread) -> bool:
    if engine.dialect.name == "sqlite":
        # It cannot be asked who waits for its lock; the assertion holds at any moment before the first one's end.
        return thread.is_alive()
    with engine.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_old_records_are_forgotten_and_then_handled_again(engine: Engine) -> None:
    table = handled_messages(MetaData())
    now = datetime.now(UTC)
    with engine.begin() as connection:
        for days in range(5):
            connection.execute(insert(table).values(key=f"main#m-{days}", handled_at=now - timedelta(days=days)))
    with engine.begin() as connection:
        assert forget_handled(connection, older_than=2.5 * 86_400, most=1) == 1
        assert not handled_before(connection, message_of(id="m-4"))
        assert handled_before(connection, message_of(id="m-3"))
        assert forget_handled(connection, older_than=2.5 * 86_400) == 1
        assert handled_before(connection, message_of(id="m-2"))
        assert forget_handled(connection, older_than=2.5 * 86_400) == 0
        for wrong in (-1.0, float("nan")):
            with pytest.raises(ValueError, match="older_than"):
                forget_handled(connection, older_than=wrong)


def test_a_session_forgets_too(session: Session) -> None:
    with session.begin():
        assert not handled_before(session, message_of())
        assert forget_handled(session, older_than=0) == 1


def test_a_connection_that_commits_each_statement_is_refused_before_it_loses_an_effect(database: str) -> None:
    engine = create_engine(database, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    metadata.create_all(engine)
    with engine.connect() as connection, pytest.raises(ValueError, match="autocommit"):
        handled_before(connection, message_of())
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(handled_messages(MetaData()))) == 0
    metadata.drop_all(engine)


def test_sqlite_whose_transactions_are_begun_by_an_event_is_a_transaction(tmp_path: Path) -> None:
    # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#enabling-non-legacy-sqlite-transactional-modes
    engine = create_engine(f"sqlite:///{tmp_path}/database", poolclass=NullPool)

    def leave_transactions(raw: sqlite3.Connection, _: object) -> None:
        raw.isolation_level = None

    event.listen(engine, "connect", leave_transactions)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    metadata.create_all(engine)
    with engine.connect() as connection:
        assert handle(connection)
        connection.rollback()
    with engine.begin() as connection:
        assert handle(connection)
    assert effects_in(engine) == ["m-1"]


def test_another_database_is_refused_by_name(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.begin() as connection:
        monkeypatch.setattr(connection.dialect, "name", "mysql")
        with pytest.raises(NotImplementedError, match="not mysql"):
            handled_before(connection, message_of())


def test_a_migration_makes_what_the_models_say(database: str) -> None:
    engine = create_engine(database, poolclass=NullPool)
    models = MetaData()
    assert handled_messages(models) is handled_messages(models)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        assert [change[0] for change in compare_metadata(context, models)] == ["add_table", "add_index"]
        with Operations.context(context):
            create_handled_messages(op)
        assert compare_metadata(context, models) == []
        assert not handled_before(connection, message_of())
        assert inspect(connection).get_pk_constraint("handled_messages")["constrained_columns"] == ["key"]
        models.drop_all(connection)


@pytest.mark.parametrize(("messages", "processes"), [(200, 8)])
def test_killed_and_failing_handlers_leave_each_effect_once(
    engine: Engine, database: str, messages: int, processes: int, tmp_path: Path
) -> None:
    seed = str(random.SystemRandom().randrange(10**6))
    print("seed", seed)
    arguments = [str(Path(__file__).with_name("killed_handlers.py")), database, str(messages), str(processes), seed]
    program = Program(arguments, tmp_path, {"PYTHONPATH": str(ROOT)})
    try:
        assert program.wait(300) == 0, program.errors
    finally:
        program.kill()
    told = Counter(program.output.split())
    print(told)
    assert told["finished"] == 1
    # Of 1,600 deliveries 200 have an effect; without these the test would prove nothing.
    assert told["killed-before-commit"] + told["failed"], told
    assert told["killed-after-commit"], told
    assert effects_in(engine) == sorted(f"m-{number}" for number in range(messages))

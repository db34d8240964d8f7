"""Exactly once: the record of a message in the transaction of its effect."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from baselib.worker.idempotency.bodies import body_hash, require_same_body
from baselib.worker.idempotency.duplicates import tell_duplicate
from baselib.worker.idempotency.handled_table import handled_messages
from baselib.worker.idempotency.keys import Key, queue_key
from baselib.worker.message import Message

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
    from sqlalchemy.orm import Session

# So that one call ends well within the time of a statement.
_MOST_FORGOTTEN: Final = 10_000


def handled_before(
    transaction: "Connection | Session", message: Message[Any], *, key: Key | None = None, check_body: bool = True
) -> bool:
    """Whether a message was handled; where not, the transaction records that it is.

    Do the effect in the same transaction, and nothing when this returns True. Record and effect are committed or rolled
    back together, so that the effect is there exactly once, whatever crashes when, as long as the record is kept
    (`forget_handled`). That holds for what the transaction writes, and for nothing else: a mail, a call or another
    database is not in it.

    Of two transactions with the same message the second waits for the end of the first, on PostgreSQL until its
    `statement_timeout`; its error lets the message come again.

    A record is for one transaction. A handler that has several gives each a key of its own.

    Args:
        transaction: A connection or session of the service's own database: PostgreSQL or SQLite.
        message: The message.
        key: What names the effect in this queue; the message's `event_id` when None.
        check_body: Whether a known key with another body is an error; only with a key.

    Raises:
        Reject: The key is empty, or belongs to another body.
        ValueError: The connection commits each statement by itself, which would lose effects.
        NotImplementedError: It is another kind of database.
        sqlalchemy.exc.DBAPIError: The database failed, or there is no table (`create_handled_messages`).
    """
    from sqlalchemy import Connection, select  # noqa: PLC0415 - only services with a database have it

    connection = transaction if isinstance(transaction, Connection) else transaction.connection()
    _require_transaction(connection)
    table = _table()
    name = queue_key(message.queue, message.event_id if key is None else key)
    digest = body_hash(message.body) if check_body and key is not None else None
    statement = _insert(connection, table).on_conflict_do_nothing(index_elements=["key"])
    values = {"key": name, "body_hash": digest, "handled_at": datetime.now(UTC)}
    inserted = connection.execute(statement, values, execution_options={"preserve_rowcount": True})
    if inserted.rowcount == 1:
        return False
    # None where it was forgotten meanwhile.
    require_same_body(connection.scalar(select(table.c.body_hash).where(table.c.key == name)), digest)
    tell_duplicate(message)
    return True


def forget_handled(transaction: "Connection | Session", older_than: float, *, most: int = _MOST_FORGOTTEN) -> int:
    """Remove old records: a duplicate of such a message would be handled again.

    Args:
        transaction: A connection or session of the service's own database.
        older_than: Seconds since the message was handled; SQS keeps a message for 14 days at most.
        most: How many are removed at a time; call it again, in another transaction, while it removes as many.

    Returns:
        How many were removed.

    Raises:
        ValueError: `older_than` is negative.
    """
    from sqlalchemy import Connection, delete, select  # noqa: PLC0415 - as above

    if not older_than >= 0:
        raise ValueError(f"older_than is {older_than!r}: accepted is a number of seconds from 0")
    connection = transaction if isinstance(transaction, Connection) else transaction.connection()
    table = _table()
    before = datetime.now(UTC) - timedelta(seconds=older_than)
    old = select(table.c.key).where(table.c.handled_at <= before).order_by(table.c.handled_at).limit(most)
    return connection.execute(delete(table).where(table.c.key.in_(old))).rowcount


@cache
def _table() -> "Table":
    from sqlalchemy import MetaData  # noqa: PLC0415 - as above

    return handled_messages(MetaData())


def _insert(connection: "Connection", table: "Table") -> "PostgresInsert | SqliteInsert":
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_in_postgres  # noqa: PLC0415 - as above

        return insert_in_postgres(table)
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite  # noqa: PLC0415 - as above

        return insert_in_sqlite(table)
    raise NotImplementedError(f"handled_before knows postgresql and sqlite, not {connection.dialect.name}")


def _require_transaction(connection: "Connection") -> None:
    """See that what is executed is not committed at once: an effect that fails then would not be tried again."""
    if not connection.in_transaction():
        # As the first statement would; a service may begin SQLite's transactions in an event of this.
        connection.begin()
    raw: Any = connection.connection.dbapi_connection
    # sqlite3 before Python 3.12 has no such attribute; with None for a level it begins no transaction by itself.
    alone = getattr(raw, "autocommit", None) is True or (
        connection.dialect.name == "sqlite" and raw.isolation_level is None and not raw.in_transaction
    )
    if alone:
        raise ValueError("the connection is in autocommit mode: handled_before needs a transaction to be part of")

"""One process at a time migrates a database."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

# An advisory lock has a number and no name: "baselib" in ASCII.
LOCK: Final = int.from_bytes(b"baselib", "big")
_POLL_SECONDS: Final = 0.5

_logger = logging.getLogger("baselib.data_stores")


@contextmanager
def migrating_alone(connection: "Connection", wait_seconds: float) -> Iterator[None]:
    """Hold an advisory lock of the database, which ends with the connection at the latest.

    It is asked for again and again: a statement that waited for it would itself hold up a `CREATE INDEX CONCURRENTLY`
    of the process that has it
    (https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY).

    Args:
        connection: On which the migrations run.
        wait_seconds: For how long to wait while another process has it.

    Raises:
        TimeoutError: It had it for all that time.
    """
    deadline = time.monotonic() + wait_seconds
    told = False
    while not _scalar(connection, f"SELECT pg_try_advisory_lock({LOCK})"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"another process has been migrating for {wait_seconds:g} s")
        if not told:
            _logger.info("another process migrates: waiting for it")
            told = True
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        connection.rollback()
        # Not needed where the connection is lost: the lock ends with it.
        if not connection.invalidated:
            _scalar(connection, f"SELECT pg_advisory_unlock({LOCK})")


def _scalar(connection: "Connection", statement: str) -> Any:
    value = connection.exec_driver_sql(statement).scalar()
    connection.commit()
    return value

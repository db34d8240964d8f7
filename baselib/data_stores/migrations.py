"""Alembic migrations of a service's postgres: the service has the revision files, the library has the rest.

The files are in `<package>/migrations/`. Imported by itself, because most processes of a service migrate nothing.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from baselib.contract import Settings
from baselib.data_stores.errors import UndeclaredDataStoreError, naming_extra
from baselib.data_stores.migration_files import PACKAGES, config_of, directory_of, folder_of, in_order
from baselib.data_stores.migration_lock import migrating_alone
from baselib.data_stores.postgres_engine import make_engine

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import Connection, MetaData

_LOCK_NOT_AVAILABLE: Final = "55P03"
# What waits for a lock makes everybody wait who comes after it; so it waits for a short time, and comes again
# (https://www.postgresql.org/docs/current/explicit-locking.html).
_LOCK_SECONDS: Final = 3.0
_ATTEMPTS: Final = 20
_PAUSE_SECONDS: Final = 2.0
_WAIT_SECONDS: Final = 600.0

_logger = logging.getLogger("baselib.data_stores")


class PendingMigrationsError(RuntimeError):
    """The database lacks revisions that the service's code relies on.

    Args:
        revisions: Them, the oldest first.
    """

    def __init__(self, revisions: tuple[str, ...]) -> None:
        super().__init__(f"{len(revisions)} pending: {', '.join(revisions)}")
        self.revisions = revisions


def upgrade(
    settings: Settings,
    package: str | Path,
    revision: str = "head",
    *,
    lock_seconds: float = _LOCK_SECONDS,
    wait_seconds: float = _WAIT_SECONDS,
) -> tuple[str, ...]:
    """Apply the revisions that are not applied; of several processes that try at a time, one does it.

    Each is a transaction of its own. One that does not get a lock in time gives way, and is tried again. A database
    that is ahead of the files, as after a rollback of the service, stays as it is.

    Args:
        settings: Gives the address of postgres.
        package: The service's package, or the folder of its revision files.
        revision: Up to which.
        lock_seconds: For how long a statement waits for the lock on a table, each of 20 times.
        wait_seconds: For how long to wait while another process migrates.

    Returns:
        The revisions applied, the oldest first.

    Raises:
        TimeoutError: Another process has been migrating for all that time.
        alembic.util.CommandError: The files are no chain that leads to the revision.
        sqlalchemy.exc.DBAPIError: A statement failed; its revision has left no trace.
    """
    directory = directory_of(package)
    with _connected(settings, lock_seconds) as connection, migrating_alone(connection, wait_seconds):
        if _is_ahead(directory, connection):
            _logger.warning("the database is ahead of the revision files: nothing is migrated")
            return ()
        before = _applied(directory, connection)
        for attempt in range(1, _ATTEMPTS + 1):
            if _run(package, connection, revision, last=attempt == _ATTEMPTS):
                break
            time.sleep(_PAUSE_SECONDS)
        new = _applied(directory, connection) - before
    return tuple(each for each in in_order(directory) if each in new)


def current(settings: Settings, package: str | Path) -> tuple[str, ...]:
    """The newest revisions applied; empty where none is.

    Args:
        settings: Gives the address of postgres.
        package: The service's package, or the folder of its revision files.
    """
    directory_of(package)
    with _connected(settings, _LOCK_SECONDS) as connection:
        return _heads(connection)


def pending(settings: Settings, package: str | Path) -> tuple[str, ...]:
    """The revisions that are not applied, the oldest first; none when the database is ahead of the files.

    Args:
        settings: Gives the address of postgres.
        package: The service's package, or the folder of its revision files.
    """
    directory = directory_of(package)
    with _connected(settings, _LOCK_SECONDS) as connection:
        if _is_ahead(directory, connection):
            return ()
        applied = _applied(directory, connection)
    return tuple(each for each in in_order(directory) if each not in applied)


def require_migrated(settings: Settings, package: str | Path) -> None:
    """Raise until the database has every revision; for a function of the start, so that no request comes before.

    Args:
        settings: Gives the address of postgres.
        package: The service's package, or the folder of its revision files.

    Raises:
        PendingMigrationsError: It lacks some.
    """
    lacking = pending(settings, package)
    if lacking:
        raise PendingMigrationsError(lacking)


def revision(
    package: str | Path, message: str, *, settings: Settings | None = None, metadata: "MetaData | None" = None
) -> Path:
    """Write a new revision file.

    Args:
        package: The service's package, or the folder of its revision files; made when it is not there.
        message: What it does, in a few words; becomes part of the file's name.
        settings: Gives the address of a database that has every revision, to compare with.
        metadata: What the service's models say that should be there; the difference is written into the file.

    Returns:
        The file.
    """
    with naming_extra("postgres", PACKAGES):
        from alembic import command  # noqa: PLC0415 - only what migrates pays for it

    folder = folder_of(package)
    folder.mkdir(parents=True, exist_ok=True)
    config = config_of(folder)
    if settings is None or metadata is None:
        made = command.revision(config, message, version_path=str(folder))
    else:
        with _connected(settings, _LOCK_SECONDS) as connection:
            config.attributes.update(connection=connection, metadata=metadata)
            made = command.revision(config, message, version_path=str(folder), autogenerate=True)
    return Path(_only(made).path)


def _only(made: Any) -> Any:
    return made[0] if isinstance(made, list) else made


@contextmanager
def _connected(settings: Settings, lock_seconds: float) -> Iterator["Connection"]:
    if "postgres" not in settings.data_store_urls:
        raise UndeclaredDataStoreError("postgres")
    with naming_extra("postgres", PACKAGES):
        from sqlalchemy import NullPool  # noqa: PLC0415

    # A statement of a migration may take its time once it has its locks.
    session = {"lock_timeout": round(lock_seconds * 1000), "statement_timeout": 0}
    engine = make_engine(settings, settings.data_store_urls["postgres"], session=session, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def _run(package: str | Path, connection: "Connection", revision: str, *, last: bool) -> bool:
    from alembic import command  # noqa: PLC0415
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    config = config_of(folder_of(package))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except OperationalError as error:
        connection.rollback()
        if last or getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        _logger.warning("a migration gives way to those who hold its locks, and will be tried again")
        return False
    connection.commit()
    return True


def _context(connection: "Connection") -> "MigrationContext":
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    return MigrationContext.configure(connection)


def _heads(connection: "Connection") -> tuple[str, ...]:
    heads = _context(connection).get_current_heads()
    connection.rollback()
    return heads


def _is_ahead(directory: "ScriptDirectory", connection: "Connection") -> bool:
    """Whether the database has a revision that no file tells of."""
    return not set(_heads(connection)) <= set(in_order(directory))


def _applied(directory: "ScriptDirectory", connection: "Connection") -> set[str]:
    heads = _heads(connection)
    return {script.revision for script in directory.iterate_revisions(heads, "base")} if heads else set()

"""Alembic migrations of a service's postgres: the service has the revision files, the library has the rest.

The files are in `<package>/migrations/`. Imported by itself, because most processes of a service migrate nothing.
"""

import logging
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from baselib.contract import Settings
from baselib.data_stores.errors import UndeclaredDataStoreError, naming_extra
from baselib.data_stores.migration_lock import migrating_alone
from baselib.data_stores.postgres_engine import make_engine

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import Connection, MetaData

_ENVIRONMENT: Final = Path(__file__).with_name("migration_environment")
_FOLDER: Final = "migrations"
_PACKAGES: Final = frozenset({"alembic", "sqlalchemy", "psycopg"})
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
    directory = _directory(package)
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
    return tuple(each for each in _in_order(directory) if each in new)


def current(settings: Settings, package: str | Path) -> tuple[str, ...]:
    """The newest revisions applied; empty where none is.

    Args:
        settings: Gives the address of postgres.
        package: The service's package, or the folder of its revision files.
    """
    _directory(package)
    with _connected(settings, _LOCK_SECONDS) as connection:
        return _heads(connection)


def pending(settings: Settings, package: str | Path) -> tuple[str, ...]:
    """The revisions that are not applied, the oldest first; none when the database is ahead of the files.

    Args:
        settings: Gives the address of postgres.
        package: The service's package, or the folder of its revision files.
    """
    directory = _directory(package)
    with _connected(settings, _LOCK_SECONDS) as connection:
        if _is_ahead(directory, connection):
            return ()
        applied = _applied(directory, connection)
    return tuple(each for each in _in_order(directory) if each not in applied)


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
    with naming_extra("postgres", _PACKAGES):
        from alembic import command  # noqa: PLC0415 - only what migrates pays for it

    folder = _folder(package)
    folder.mkdir(parents=True, exist_ok=True)
    config = _config(folder)
    if settings is None or metadata is None:
        made = command.revision(config, message, version_path=str(folder))
    else:
        with _connected(settings, _LOCK_SECONDS) as connection:
            config.attributes.update(connection=connection, metadata=metadata)
            made = command.revision(config, message, version_path=str(folder), autogenerate=True)
    return Path(_only(made).path)


def _only(made: Any) -> Any:
    return made[0] if isinstance(made, list) else made


def _folder(package: str | Path) -> Path:
    if isinstance(package, Path):
        return package
    # The package itself is not imported: its modules may want an environment that is not there.
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"there is no package {package!r} with a folder {_FOLDER}", name=package)
    return Path(next(iter(found.submodule_search_locations))) / _FOLDER


def _config(folder: Path) -> "Config":
    with naming_extra("postgres", _PACKAGES):
        from alembic.config import Config  # noqa: PLC0415 - only what migrates pays for it

    # A library does not print.
    config = Config(cmd_opts=Namespace(quiet=True))
    options = {
        "script_location": str(_ENVIRONMENT),
        "version_locations": str(folder),
        # The only character that stands between paths and is in none.
        "path_separator": "newline",
        "file_template": "%(year)d%(month).2d%(day).2d_%(rev)s_%(slug)s",
        "timezone": "UTC",
    }
    for name, value in options.items():
        config.set_main_option(name, value.replace("%", "%%"))
    return config


def _directory(package: str | Path) -> "ScriptDirectory":
    folder = _folder(package)
    if not folder.is_dir():
        raise NotADirectoryError(f"there are no revision files: {folder} is not a folder")
    config = _config(folder)
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory.from_config(config)


@contextmanager
def _connected(settings: Settings, lock_seconds: float) -> Iterator["Connection"]:
    if "postgres" not in settings.data_store_urls:
        raise UndeclaredDataStoreError("postgres")
    with naming_extra("postgres", _PACKAGES):
        from sqlalchemy import NullPool  # noqa: PLC0415

    # A statement of a migration may take its time once it has its locks.
    session = {"lock_timeout": round(lock_seconds * 1000), "statement_timeout": 0}
    engine = make_engine(settings, settings.data_store_urls["postgres"], session=session, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def _run(package: str | Path, connection: "Connection", revision: str, *, last: bool) -> bool:
    from alembic import command  # noqa: PLC0415
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    config = _config(_folder(package))
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


def _in_order(directory: "ScriptDirectory") -> list[str]:
    return [script.revision for script in directory.walk_revisions()][::-1]


def _is_ahead(directory: "ScriptDirectory", connection: "Connection") -> bool:
    """Whether the database has a revision that no file tells of."""
    return not set(_heads(connection)) <= set(_in_order(directory))


def _applied(directory: "ScriptDirectory", connection: "Connection") -> set[str]:
    heads = _heads(connection)
    return {script.revision for script in directory.iterate_revisions(heads, "base")} if heads else set()

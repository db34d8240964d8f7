"""The SQLAlchemy engine: a pool for the threads that survives a failover of Aurora, a restart and a fork."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from baselib.contract import Settings
from baselib.data_stores.errors import naming_extra
from baselib.data_stores.limits import Limits
from baselib.data_stores.postgres_credentials import Credentials, credentials
from baselib.data_stores.postgres_options import connection_options

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine
    from sqlalchemy.engine import ExceptionContext

_PACKAGES: Final = frozenset({"sqlalchemy", "psycopg"})
_PORT: Final = 5432
_CONNECT_SECONDS: Final = 3
# libpq's shortest.
_LEAST_CONNECT_SECONDS: Final = 2
# For what runs beside the requests.
_OVERFLOW: Final = 2
# New connections spread over the instances again, and memory that a session holds in the server is given back.
_RECYCLE_SECONDS: Final = 1800
_READ_ONLY: Final = "25006"
# The server is a demoted writer, or is going down, has crashed, or is coming up
# (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_LOST: Final = frozenset({_READ_ONLY, "57P01", "57P02", "57P03"})


def make(settings: Settings, url: str, limits: Limits) -> "Engine":
    """An engine whose statements end within the time budget of a request.

    Args:
        settings: The service's settings.
        url: The address.
        limits: The size of the pool, and how long a thread waits for a connection of it.
    """
    milliseconds = round(settings.request_seconds * 1000)
    return make_engine(
        settings,
        url,
        session={"statement_timeout": milliseconds, "idle_in_transaction_session_timeout": milliseconds},
        connect_seconds=_CONNECT_SECONDS if limits.seconds > _CONNECT_SECONDS else _LEAST_CONNECT_SECONDS,
        pool_size=limits.connections,
        max_overflow=_OVERFLOW if limits.retries else 0,
        pool_timeout=limits.seconds,
        pool_recycle=_RECYCLE_SECONDS,
        pool_pre_ping=bool(limits.retries),
    )


def make_engine(
    settings: Settings, url: str, *, session: Mapping[str, int], connect_seconds: int = _CONNECT_SECONDS, **options: Any
) -> "Engine":
    """An engine with our way of connecting and of noticing that a connection is lost.

    Args:
        settings: The service's settings.
        url: The address.
        session: Settings of each session, in milliseconds.
        connect_seconds: For how long a server may keep a new connection waiting.
        options: Of `sqlalchemy.create_engine`.
    """
    with naming_extra("postgres", _PACKAGES):
        import psycopg  # noqa: F401, PLC0415 - only services with postgres have it
        from sqlalchemy import create_engine, event, make_url  # noqa: PLC0415

    parsed = make_url(url).set(drivername="postgresql+psycopg")
    arguments = connection_options(settings, parsed.host or "", _in_query(parsed), session, connect_seconds)
    engine = create_engine(
        # Without the parameters, one of which may be a password: engines are shown in logs.
        parsed.set(query={}),
        connect_args=arguments,
        # Values are personal data, and do not belong into an error.
        hide_parameters=True,
        **options,
    )
    event.listen(engine, "handle_error", _notice_loss)
    source = credentials(settings, parsed.host or "", parsed.port or _PORT, parsed.username)
    if source is not None:
        event.listen(engine, "do_connect", _connecting_with(source))
    return engine


def _in_query(url: "URL") -> dict[str, str]:
    return {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}


def _notice_loss(context: "ExceptionContext") -> None:
    """Let the whole pool go when one of its connections leads to a server that is no writer any more."""
    state = getattr(context.original_exception, "sqlstate", None)
    connection = context.connection
    wanted = connection is not None and connection.get_execution_options().get("postgresql_readonly")
    if state in _LOST and not (state == _READ_ONLY and wanted):
        context.is_disconnect = True


def _connecting_with(source: Credentials) -> Any:
    def connect(dialect: Any, _: object, arguments: Any, parameters: dict[str, Any]) -> Any:
        chosen = source.parameters()
        try:
            return dialect.connect(*arguments, **{**parameters, **chosen})
        except dialect.loaded_dbapi.OperationalError as error:
            others = source.after_refusal(chosen) if _password_refused(error) else chosen
            if others == chosen:
                raise
        return dialect.connect(*arguments, **{**parameters, **others})

    return connect


def _password_refused(error: Any) -> bool:
    """Whether the server answered and the password was sent; its message is in the server's language."""
    return error.pgconn is not None and bool(error.pgconn.used_password)


def ping(engine: "Engine") -> None:
    """Ask for something.

    Args:
        engine: One of ours.

    Raises:
        sqlalchemy.exc.DBAPIError: No good answer.
        ConnectionError: The server accepts no writes.
    """
    with engine.connect() as connection:
        if connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on":
            connection.invalidate()
            raise ConnectionError("the server is read-only: not, or no longer, the writer")


def after_fork(engine: "Engine") -> None:
    """Forget the parent's connections; https://docs.sqlalchemy.org/en/20/core/pooling.html#pooling-multiprocessing.

    Args:
        engine: One of ours.
    """
    engine.dispose(close=False)


def close(engine: "Engine") -> None:
    """Close every connection.

    Args:
        engine: One of ours.
    """
    engine.dispose()

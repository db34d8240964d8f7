"""What libpq is told for every connection (https://www.postgresql.org/docs/current/libpq-connect.html)."""

import ipaddress
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from baselib.contract import Settings

_LOCAL: Final = "local"
# A server that vanished, as in a failover, is noticed after 5 + 3 * 2 s while it is waited for, and after 10 s while it
# is written to. The system's own figures are two hours and a quarter of an hour
# (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.BestPractices.FastFailover.html).
_KEEP_ALIVE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "keepalives": 1,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
)
_ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})


def connection_options(
    settings: Settings,
    host: str,
    given: Mapping[str, str],
    session: Mapping[str, int],
    connect_seconds: int,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, str | int]:
    """The connection parameters besides host, port, user, password and database.

    Args:
        settings: Gives environment, name, release and how credentials are made.
        host: Where postgres is.
        given: The parameters in the address, which count more than the defaults.
        session: Settings of each session, in milliseconds, such as `statement_timeout`.
        connect_seconds: For how long a server may keep a new connection waiting.
        environ: The environment variables, of which libpq reads some too.

    >>> settings = Settings(product="duolingo", service="api", owner="platform", environment="prod")
    >>> options = connection_options(settings, "db.example", {}, {"statement_timeout": 60000}, 3, {})
    >>> options["sslmode"], options["options"], options["target_session_attrs"]
    ('require', '-c statement_timeout=60000', 'read-write')
    """
    options: dict[str, str | int] = {
        "application_name": f"{settings.name.repository}/{settings.release}",
        "connect_timeout": connect_seconds,
        # After a failover the name may still lead to the demoted writer: better no connection than one to it.
        "target_session_attrs": "read-write",
        **_KEEP_ALIVE,
        **given,
    }
    ours = " ".join(f"-c {name}={value}" for name, value in session.items())
    options["options"] = " ".join(filter(None, (ours, given.get("options"))))
    encryption = _encryption(settings, host, {**_from_environment(environ), **given})
    if encryption is not None:
        options["sslmode"] = encryption
    return options


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    names = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
    return {name: environ[variable] for name, variable in names.items() if environ.get(variable)}


def _encryption(settings: Settings, host: str, chosen: Mapping[str, str]) -> str | None:
    """The `sslmode`; None where libpq may decide."""
    strongest = "verify-full" if "sslrootcert" in chosen else "require"
    if settings.database_credentials == "iam":
        # The token is a password: it is never sent in the clear.
        return chosen["sslmode"] if chosen.get("sslmode") in _ENCRYPTED else strongest
    if "sslmode" in chosen:
        return chosen["sslmode"]
    if settings.environment == _LOCAL or _is_loopback(host):
        return None
    return strongest


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A path is that of a Unix socket.
        return host == "localhost" or host.startswith("/")

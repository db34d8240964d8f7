"""What libpq is told: encryption, time-outs and who asks."""

import pytest

from baselib.data_stores.postgres_options import connection_options
from tests.baselib.data_stores.conftest import settings_of

FAR = "main.cluster-abc.eu-west-1.rds.amazonaws.com"


def _mode(host: str, given: dict[str, str], environ: dict[str, str] | None = None, **settings: str) -> object:
    chosen = settings_of(None, **{"environment": "prod", **settings})
    return connection_options(chosen, host, given, {}, 3, environ or {}).get("sslmode")


@pytest.mark.parametrize(
    ("host", "given", "environ", "expected"),
    [
        (FAR, {}, {}, "require"),
        ("10.0.0.7", {}, {}, "require"),
        ("loopback.example", {}, {}, "require"),
        ("127.0.0.1.example", {}, {}, "require"),
        (FAR, {"sslrootcert": "/rds.pem"}, {}, "verify-full"),
        (FAR, {}, {"PGSSLROOTCERT": "system"}, "verify-full"),
        (FAR, {"sslmode": "verify-ca", "sslrootcert": "/rds.pem"}, {}, "verify-ca"),
        (FAR, {"sslmode": "disable"}, {}, "disable"),
        (FAR, {}, {"PGSSLMODE": "prefer"}, "prefer"),
        (FAR, {"sslmode": "require"}, {"PGSSLMODE": "disable"}, "require"),
        ("localhost", {}, {}, None),
        ("127.0.0.1", {}, {}, None),
        ("127.9.9.9", {}, {}, None),
        ("::1", {}, {}, None),
        ("/var/run/postgresql", {}, {}, None),
    ],
)
def test_what_leaves_the_machine_is_encrypted_unless_somebody_said_otherwise(
    host: str, given: dict[str, str], environ: dict[str, str], expected: str | None
) -> None:
    assert _mode(host, given, environ) == expected


def test_compose_has_no_certificate() -> None:
    assert _mode("postgres", {}, environment="local") is None


@pytest.mark.parametrize(
    ("host", "given", "expected"),
    [
        (FAR, {"sslmode": "disable"}, "require"),
        (FAR, {"sslmode": "prefer", "sslrootcert": "/rds.pem"}, "verify-full"),
        (FAR, {"sslmode": "verify-ca"}, "verify-ca"),
        ("127.0.0.1", {}, "require"),
    ],
)
def test_a_token_is_never_sent_in_the_clear(host: str, given: dict[str, str], expected: str) -> None:
    assert _mode(host, given, database_credentials="iam") == expected
    assert _mode(host, given, database_credentials="iam", environment="local") == expected


def test_the_address_counts_more_than_the_defaults() -> None:
    given = {"connect_timeout": "9", "target_session_attrs": "any", "options": "-c work_mem=64MB"}
    options = connection_options(settings_of(), FAR, given, {"statement_timeout": 60_000}, 3, {})
    assert options["connect_timeout"] == "9"
    assert options["target_session_attrs"] == "any"
    # The later one counts where both say the same.
    assert options["options"] == "-c statement_timeout=60000 -c work_mem=64MB"


def test_a_dead_server_is_noticed_in_seconds_and_everybody_sees_who_asks() -> None:
    options = connection_options(settings_of(release="1.2.0"), FAR, {}, {}, 3, {})
    idle, interval, count = (int(options[f"keepalives_{name}"]) for name in ("idle", "interval", "count"))
    assert idle + interval * count <= 15
    assert int(options["tcp_user_timeout"]) <= 15_000
    assert options["application_name"] == "duolingo-api/1.2.0"

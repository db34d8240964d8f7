"""The engine, against a real postgres: pool, time-outs, transactions, forks, credentials."""

import os
import threading

import pytest

from baselib import aws, data_stores
from baselib.data_stores import postgres_engine
from tests.baselib.data_stores.conftest import settings_of
from tests.baselib.data_stores.servers import PASSWORD, Postgres, running
from tests.baselib.processes import until

FAR = "postgresql://app:hunter2-secret@db.example"


def test_the_pool_has_a_connection_for_each_thread() -> None:
    data_stores.configure_data_stores(settings_of({"postgres": f"{FAR}/main"}, web_threads=7))
    assert data_stores.postgres().pool.size() == 7  # type: ignore[attr-defined]
    data_stores.configure_data_stores(settings_of({"postgres": f"{FAR}/main"}), threads=12)
    assert data_stores.postgres().pool.size() == 12  # type: ignore[attr-defined]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_schemes_mean_psycopg(scheme: str) -> None:
    url = f"{scheme}://app:a%40b@db.example:6000/main"
    data_stores.configure_data_stores(settings_of({"postgres": url}))
    made = data_stores.postgres().url
    assert made.drivername == "postgresql+psycopg"
    assert (made.host, made.port, made.database, made.password) == ("db.example", 6000, "main", "a@b")


def test_no_password_is_shown_wherever_it_stands() -> None:
    url = "postgresql://app@db.example/main?password=hunter2&sslpassword=hunter2&sslmode=verify-full"
    data_stores.configure_data_stores(settings_of({"postgres": url}))
    assert "hunter2" not in repr(data_stores.postgres()) + str(data_stores.postgres().url)


@pytest.fixture
def _configured(postgres_server: Postgres) -> None:
    data_stores.configure_data_stores(settings_of({"postgres": postgres_server.url}, web_threads=2, request_seconds=4))


def _show(name: str) -> object:
    with data_stores.postgres().connect() as connection:
        return connection.exec_driver_sql(f"SHOW {name}").scalar()


@pytest.mark.e2e
@pytest.mark.usefixtures("_configured")
def test_a_statement_and_an_idle_transaction_end_with_the_request() -> None:
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    assert _show("statement_timeout") == "4s"
    assert _show("idle_in_transaction_session_timeout") == "4s"
    assert _show("application_name") == "duolingo-api/dev"
    engine = data_stores.postgres()
    with engine.connect() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 50")
        with pytest.raises(OperationalError, match="statement timeout"):
            connection.exec_driver_sql("SELECT pg_sleep(60)")


@pytest.mark.e2e
@pytest.mark.usefixtures("_configured")
def test_a_session_is_a_transaction() -> None:
    from sqlalchemy import text  # noqa: PLC0415

    with data_stores.session() as session:
        session.execute(text("CREATE TABLE IF NOT EXISTS sessions (n int)"))
        session.execute(text("INSERT INTO sessions VALUES (1)"))
    with pytest.raises(ZeroDivisionError), data_stores.session() as session:  # noqa: PT012
        session.execute(text("INSERT INTO sessions VALUES (2)"))
        raise ZeroDivisionError
    with data_stores.session() as session:
        assert session.execute(text("SELECT n FROM sessions")).scalars().all() == [1]


@pytest.mark.e2e
@pytest.mark.usefixtures("_configured")
def test_a_full_pool_fails_a_request_in_time_and_is_no_outage(postgres_server: Postgres) -> None:
    from sqlalchemy.exc import TimeoutError as PoolTimeoutError  # noqa: PLC0415

    engine = data_stores.postgres()
    held = [engine.connect() for _ in range(4)]
    try:
        with pytest.raises(PoolTimeoutError):
            engine.connect()
        data_stores.data_store_check("postgres", postgres_server.url).run()
    finally:
        for connection in held:
            connection.close()


@pytest.mark.e2e
@pytest.mark.usefixtures("_configured")
def test_an_error_tells_no_value() -> None:
    from sqlalchemy import text  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    with pytest.raises(DBAPIError) as error, data_stores.session() as session:
        session.execute(text("SELECT * FROM missing WHERE name = :name"), {"name": "Ada Lovelace"})
    assert "Ada" not in str(error.value)


@pytest.mark.e2e
def test_a_wrong_password_is_not_told() -> None:
    url = "postgresql://app:hunter2@127.0.0.1:1/postgres"
    data_stores.configure_data_stores(settings_of({"postgres": url}))
    with pytest.raises(Exception, match="refused") as error:
        data_stores.postgres().connect()
    assert "hunter2" not in str(error.value) + repr(error.value)


@pytest.mark.e2e
@pytest.mark.usefixtures("_configured")
def test_a_forked_child_has_connections_of_its_own() -> None:
    engine = data_stores.postgres()

    def backend() -> int:
        with engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    before = backend()
    assert backend() == before
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, str(backend()).encode())
        finally:
            os._exit(0)
    os.close(write)
    assert os.waitpid(child, 0)[1] == 0
    in_child = int(os.read(read, 100))
    os.close(read)
    assert in_child != before
    # The child has ended, and with it its connection; that of the parent lives.
    assert backend() == before


@pytest.mark.e2e
@pytest.mark.usefixtures("_configured")
def test_a_read_only_transaction_that_was_asked_for_costs_no_pool() -> None:
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    engine = data_stores.postgres()
    with engine.connect() as first:
        before = first.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with engine.connect().execution_options(postgresql_readonly=True) as connection:
        with pytest.raises(DBAPIError, match="read-only"):
            connection.exec_driver_sql("CREATE TABLE never (n int)")
        connection.rollback()
    with engine.connect() as again:
        assert again.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() == before


@pytest.mark.e2e
def test_a_new_token_opens_each_connection_and_only_with_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Postgres(tls=True)

    class Rds:
        """Signs with a number, which is then the only password."""

        made = 0

        def generate_db_auth_token(self, host: str, port: int, user: str) -> str:
            assert (host, port, user) == ("127.0.0.1", server.port, "app")
            Rds.made += 1
            owner.execute(f"ALTER ROLE app PASSWORD 'token-{Rds.made}'")
            return f"token-{Rds.made}"

    with running(server):
        import psycopg  # noqa: PLC0415

        owner = psycopg.connect(server.url, autocommit=True)
        monkeypatch.setattr(aws, "client", lambda service: Rds())
        url = f"postgresql://app@127.0.0.1:{server.port}/postgres?sslmode=disable"
        data_stores.configure_data_stores(settings_of({"postgres": url}, database_credentials="iam"))
        engine = data_stores.postgres()
        with engine.connect() as first, engine.connect() as second:
            for connection in (first, second):
                statement = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
                assert connection.exec_driver_sql(statement).scalar() is True
        assert Rds.made == 2
        owner.close()
        data_stores.reset()


@pytest.mark.e2e
def test_a_rotated_password_is_read_again_and_nobody_notices(
    postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Secret:
        """What is known of it, and what Secrets Manager would say."""

        json, stored, asked = {"username": "rotated", "password": "first"}, "first", 0

        def refresh(self) -> None:
            Secret.asked += 1
            Secret.json = {"username": "rotated", "password": Secret.stored}

    monkeypatch.setattr(aws, "secret", lambda *_, **__: Secret())
    postgres_server.execute("DROP ROLE IF EXISTS rotated")
    postgres_server.execute("CREATE ROLE rotated LOGIN PASSWORD 'first'")
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db"
    url = f"postgresql://127.0.0.1:{postgres_server.port}/postgres"
    data_stores.configure_data_stores(settings_of({"postgres": url}, database_credentials=arn))
    engine = data_stores.postgres()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar() == "rotated"
    Secret.stored = "second"
    postgres_server.execute("ALTER ROLE rotated PASSWORD 'second'")
    engine.dispose()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar() == "rotated"
    assert Secret.asked == 1
    # Refused, and the secret is still the same: the error is told.
    postgres_server.execute("ALTER ROLE rotated PASSWORD 'third'")
    engine.dispose()
    with pytest.raises(Exception, match="authentication failed") as error:
        engine.connect()
    assert "second" not in str(error.value)


@pytest.mark.e2e
@pytest.mark.usefixtures("_configured")
def test_threads_beyond_the_pool_wait_and_are_served() -> None:
    engine, done = data_stores.postgres(), []

    def ask() -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT pg_sleep(0.01)")
            done.append(1)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: len(done) == 20, "all are served")
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert PASSWORD not in repr(engine)
    assert postgres_engine._OVERFLOW < 4

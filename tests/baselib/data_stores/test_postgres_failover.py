"""Aurora's failover and a restart, played with two real servers behind one address: nobody restarts the service.

A demoted writer of Aurora refuses writes, and its name leads to the new one within seconds. Here the address is a
forwarder of ours, which is switched from one server to the other as the name would be.
"""

import os
from collections.abc import Iterator

import pytest

from baselib import data_stores
from tests.baselib.data_stores.conftest import settings_of
from tests.baselib.data_stores.servers import Forwarder, Postgres, running, url
from tests.baselib.processes import until

pytestmark = pytest.mark.e2e


@pytest.fixture
def first() -> Postgres:
    return Postgres()


@pytest.fixture
def second() -> Postgres:
    return Postgres()


@pytest.fixture
def address(first: Postgres) -> Iterator[Forwarder]:
    forwarder = Forwarder(first.port)
    yield forwarder
    data_stores.reset()
    forwarder.close()


def _write() -> bool:
    from sqlalchemy import text  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        with data_stores.session() as session:
            session.execute(text("INSERT INTO orders VALUES (1)"))
    except SQLAlchemyError:
        return False
    return True


def test_writes_follow_the_writer(first: Postgres, second: Postgres, address: Forwarder) -> None:
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    with running(first, second):
        for server in (first, second):
            server.execute("CREATE TABLE orders (n int)")
        data_stores.configure_data_stores(settings_of({"postgres": url(address.port)}))
        engine = data_stores.postgres()
        # Several connections in the pool, every one of which leads to the first.
        held = [engine.connect() for _ in range(3)]
        for connection in held:
            connection.close()
        assert _write()

        first.set_read_only(on=True)
        with pytest.raises(DBAPIError, match="read-only") as error, data_stores.session() as session:
            session.connection().exec_driver_sql("INSERT INTO orders VALUES (2)")
        assert error.value.connection_invalidated
        # The name still leads to the demoted one: there is no connection, rather than one that cannot write.
        assert not _write()
        with pytest.raises(DBAPIError, match="read-only"):
            engine.connect()
        with pytest.raises((DBAPIError, ConnectionError), match="read-only"):
            data_stores.data_store_check("postgres", url(address.port)).run()

        address.target = second.port
        assert _write()
        assert second.execute("SELECT count(*) FROM orders") == [(1,)]
        for connection in [engine.connect() for _ in range(3)]:
            assert connection.exec_driver_sql("SHOW port").scalar() == str(second.port)
            connection.close()
        data_stores.data_store_check("postgres", url(address.port)).run()


def test_the_check_sees_a_demoted_writer_on_the_connection_that_it_has(first: Postgres, address: Forwarder) -> None:
    check = data_stores.data_store_check("postgres", url(address.port))
    with running(first):
        data_stores.configure_data_stores(settings_of({"postgres": url(address.port)}))
        check.run()
        first.set_read_only(on=True)
        with pytest.raises(ConnectionError, match="no longer, the writer"):
            check.run()
        first.set_read_only(on=False)
        check.run()


def test_the_first_request_after_a_restart_is_served(first: Postgres, address: Forwarder) -> None:
    with running(first):
        first.execute("CREATE TABLE orders (n int)")
        data_stores.configure_data_stores(settings_of({"postgres": url(address.port)}))
        assert _write()
        first.kill()
        assert not _write()
        first.start()
        assert _write()
        first.kill()
        first.start()
        # Nobody has asked in between: the connection in the pool is dead, and is seen to be before it is used.
        assert _write()
        assert first.execute("SELECT count(*) FROM orders") == [(3,)]


def test_a_server_that_goes_down_takes_the_pool_with_it(first: Postgres, address: Forwarder) -> None:
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    with running(first):
        data_stores.configure_data_stores(settings_of({"postgres": url(address.port)}))
        engine = data_stores.postgres()
        with engine.connect() as connection:
            ours = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            first.execute(f"SELECT pg_terminate_backend({ours})")
            until(lambda: first.execute(f"SELECT 1 WHERE {ours} NOT IN (SELECT pid FROM pg_stat_activity)"), "it ends")
            with pytest.raises(DBAPIError) as error:
                connection.exec_driver_sql("SELECT 1")
            assert error.value.connection_invalidated
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() not in {ours, os.getpid()}

"""The health check of a declared data store: a real question, and the port alone where its client is not installed."""

import socket

import pytest

from baselib import data_stores
from baselib.contract import DataStore
from baselib.data_stores.clients import _MAKERS
from tests.baselib.data_stores.conftest import settings_of
from tests.baselib.data_stores.servers import Postgres

URLS: dict[DataStore, str] = {
    "postgres": "postgresql://app:hunter2@127.0.0.1:{port}/main",
    "redis": "redis://:hunter2@127.0.0.1:{port}/0",
    "memcached": "memcached://127.0.0.1:{port}",
    "elasticsearch": "http://app:hunter2@127.0.0.1:{port}",
}


@pytest.mark.parametrize("data_store", URLS)
def test_a_port_that_only_listens_is_not_enough(data_store: DataStore) -> None:
    # The kernel takes the connection; nobody answers.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = URLS[data_store].format(port=listener.getsockname()[1])
        data_stores.configure_data_stores(settings_of({data_store: url}))
        with pytest.raises(Exception, match=r"(?i)time|timed") as error:
            data_stores.data_store_check(data_store, url).run()
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("data_store", URLS)
def test_without_the_client_the_port_is_tried(data_store: DataStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise data_stores.MissingExtraError(data_store, "package")

    monkeypatch.setattr(_MAKERS[data_store], "make", missing)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = URLS[data_store].format(port=listener.getsockname()[1])
        data_stores.configure_data_stores(settings_of({data_store: url}))
        check = data_stores.data_store_check(data_store, url)
        check.run()
    with pytest.raises(ConnectionRefusedError):
        check.run()


@pytest.mark.e2e
def test_a_wrong_password_is_an_outage(postgres_server: Postgres) -> None:
    url = postgres_server.url.replace("hunter2", "wrong")
    data_stores.configure_data_stores(settings_of({"postgres": url}))
    with pytest.raises(Exception, match="authentication failed") as error:
        data_stores.data_store_check("postgres", url).run()
    assert "wrong-secret" not in str(error.value)


@pytest.mark.e2e
def test_many_runs_use_one_connection(postgres_server: Postgres) -> None:
    data_stores.configure_data_stores(settings_of({"postgres": postgres_server.url}))
    check = data_stores.data_store_check("postgres", postgres_server.url)
    for _ in range(5):
        check.run()
    statement = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'duolingo-api/dev'"
    assert postgres_server.execute(statement) == [(1,)]

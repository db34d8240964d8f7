"""Clients: one for each declared data store, made when first asked for, in this process alone."""

import os
import sys
import threading
from collections.abc import Callable

import pytest

from baselib import data_stores
from baselib.contract import DataStore
from baselib.data_stores.clients import CLIENTS
from tests.baselib.data_stores.conftest import settings_of

PATIENCE = 30.0
URLS: dict[DataStore, str] = {
    "postgres": "postgresql://app:hunter2-secret@127.0.0.1:1/main",
    "redis": "redis://app:hunter2-secret@127.0.0.1:1/0",
    "memcached": "memcached://127.0.0.1:1",
    "elasticsearch": "http://app:hunter2-secret@127.0.0.1:1",
}
GIVING: dict[DataStore, Callable[[], object]] = {
    "postgres": data_stores.postgres,
    "redis": data_stores.redis,
    "memcached": data_stores.memcached,
    "elasticsearch": data_stores.elasticsearch,
}
PACKAGES = {"postgres": "psycopg", "redis": "redis", "memcached": "pymemcache", "elasticsearch": "opensearchpy"}


@pytest.mark.parametrize("data_store", GIVING)
def test_a_store_that_was_not_declared_says_how_to(data_store: DataStore) -> None:
    others = {name: url for name, url in URLS.items() if name != data_store}
    for urls in ({}, others):
        data_stores.configure_data_stores(settings_of(urls))
        with pytest.raises(data_stores.UndeclaredDataStoreError, match=rf'data_stores=\["{data_store}"\]') as error:
            GIVING[data_store]()
        assert "_URL" in str(error.value)


def test_a_session_of_an_undeclared_postgres_says_how_too() -> None:
    with pytest.raises(data_stores.UndeclaredDataStoreError, match="DATABASE_URL"), data_stores.session():
        pass


@pytest.mark.parametrize("data_store", GIVING)
def test_a_missing_package_is_an_error_that_names_the_extra(
    data_store: DataStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = PACKAGES[data_store]
    monkeypatch.delitem(sys.modules, "baselib.data_stores.memcached_nodes", raising=False)
    for name in list(sys.modules):
        if name.partition(".")[0] == package:
            monkeypatch.delitem(sys.modules, name)

    class Absent:
        def find_spec(self, name: str, *_: object) -> None:
            if name.partition(".")[0] == package:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    data_stores.configure_data_stores(settings_of(URLS))
    with pytest.raises(data_stores.MissingExtraError, match=rf"baselib\[{data_store}\]") as error:
        GIVING[data_store]()
    assert error.value.name == package


@pytest.mark.parametrize("data_store", GIVING)
def test_sixteen_threads_get_one_client(data_store: DataStore) -> None:
    data_stores.configure_data_stores(settings_of(URLS))
    together, found = threading.Barrier(16, timeout=PATIENCE), []

    def get() -> None:
        together.wait()
        found.append(GIVING[data_store]())

    threads = [threading.Thread(target=get) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(found) == 16
    assert len({id(client) for client in found}) == 1


@pytest.mark.parametrize("data_store", GIVING)
def test_no_client_shows_the_password(data_store: DataStore) -> None:
    data_stores.configure_data_stores(settings_of(URLS))
    client = GIVING[data_store]()
    for shown in (repr(client), str(client), repr(getattr(client, "transport", None)), repr(CLIENTS)):
        assert "hunter2" not in shown


def test_a_client_is_forgotten_when_others_are_configured() -> None:
    data_stores.configure_data_stores(settings_of(URLS))
    before = data_stores.redis()
    data_stores.configure_data_stores(settings_of(URLS))
    assert data_stores.redis() is not before


def test_a_child_forked_while_a_client_is_being_made_is_not_stuck() -> None:
    data_stores.configure_data_stores(settings_of(URLS))
    with CLIENTS._lock:
        child = os.fork()
        if not child:
            os._exit(0 if CLIENTS._lock.acquire(timeout=PATIENCE) else 1)
    assert os.waitpid(child, 0)[1] == 0

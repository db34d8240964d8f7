"""The health check of a data store: can its port be reached."""

import socket
from typing import NoReturn

import pytest

from baselib.contract import DataStore
from baselib.data_stores import data_store_check
from baselib.data_stores import reachability as module


def test_a_store_that_listens_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        data_store_check("redis", f"redis://127.0.0.1:{listener.getsockname()[1]}/0").run()


def test_a_store_that_does_not_listen_is_not() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        check = data_store_check("postgres", f"postgresql://u:hunter2@127.0.0.1:{closed.getsockname()[1]}/main")
        with pytest.raises(ConnectionRefusedError) as error:
            check.run()
    # The endpoint shows the error: it may not tell the password.
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("data_store", "url", "address"),
    [
        ("postgres", "postgresql://user:word@db/main", ("db", 5432)),
        ("postgres", "postgres://db:6000", ("db", 6000)),
        ("redis", "redis://cache", ("cache", 6379)),
        ("redis", "rediss://cache:6380", ("cache", 6380)),
        ("memcached", "memcached://cache", ("cache", 11211)),
        ("elasticsearch", "https://search", ("search", 443)),
        ("elasticsearch", "http://search", ("search", 80)),
        ("elasticsearch", "HTTP://[::1]:9200/", ("::1", 9200)),
    ],
)
def test_the_port_is_that_of_the_url_or_of_the_kind(
    data_store: DataStore, url: str, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def refuse(address: object, timeout: float) -> NoReturn:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(ConnectionRefusedError):
        data_store_check(data_store, url).run()
    assert asked == [address]


def test_a_declared_store_is_a_hard_need_that_does_not_take_the_fleet_out_of_the_load_balancer() -> None:
    check = data_store_check("redis", "redis://cache")
    assert (check.name, check.hard, check.required_for_traffic) == ("redis", True, False)
    assert check.timeout > module._TIMEOUT_SECONDS

"""The health check of a data store whose client is not set up: can its port be reached."""

import socket

import pytest

from baselib.contract import DataStore
from baselib.data_stores import data_store_check
from baselib.data_stores.reachability import address


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
    ("data_store", "url", "expected"),
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
def test_the_port_is_that_of_the_url_or_of_the_kind(data_store: DataStore, url: str, expected: tuple[str, int]) -> None:
    assert address(url) == expected


def test_a_declared_store_is_a_hard_need_that_does_not_take_the_fleet_out_of_the_load_balancer() -> None:
    check = data_store_check("redis", "redis://cache")
    assert (check.name, check.hard, check.required_for_traffic) == ("redis", True, False)


def test_memcached_is_soft_because_its_client_is() -> None:
    assert not data_store_check("memcached", "memcached://cache").hard

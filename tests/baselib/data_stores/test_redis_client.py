"""The redis client, against a real redis: bounded, fork-safe, and after a failover with the new primary."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baselib import data_stores
from tests.baselib.data_stores.conftest import settings_of
from tests.baselib.data_stores.servers import Forwarder, Redis, make_certificate, running


def test_the_pool_and_the_waits_are_bounded() -> None:
    data_stores.configure_data_stores(settings_of({"redis": "rediss://cache.example:6380/2"}, web_threads=7))
    pool: Any = data_stores.redis().connection_pool
    assert pool.max_connections == 8
    options = pool.connection_kwargs
    assert (options["host"], options["port"], options["db"]) == ("cache.example", 6380, 2)
    assert pool.connection_class.__name__ == "SSLConnection"
    assert 0 < options["socket_connect_timeout"] <= options["socket_timeout"] <= 5
    assert pool.timeout <= 5
    assert options["client_name"] == "duolingo-api"


def test_the_address_counts_more_than_the_defaults() -> None:
    data_stores.configure_data_stores(settings_of({"redis": "redis://cache.example?socket_timeout=9"}))
    assert data_stores.redis().connection_pool.connection_kwargs["socket_timeout"] == 9


@pytest.fixture
def address(redis_server: Redis) -> Iterator[Forwarder]:
    forwarder = Forwarder(redis_server.port)
    yield forwarder
    data_stores.reset()
    forwarder.close()


@pytest.mark.e2e
def test_values_come_back(redis_server: Redis) -> None:
    data_stores.configure_data_stores(settings_of({"redis": redis_server.url}))
    client = data_stores.redis()
    client.set("a", "ü", ex=60)
    assert client.get("a") == "ü".encode()
    data_stores.data_store_check("redis", redis_server.url).run()


@pytest.mark.e2e
def test_a_write_after_a_failover_reaches_the_new_primary(
    redis_server: Redis, address: Forwarder, tmp_path: Path
) -> None:
    new = Redis(tmp_path / "new")
    with running(new):
        data_stores.configure_data_stores(settings_of({"redis": f"redis://127.0.0.1:{address.port}/0"}))
        client = data_stores.redis()
        client.set("a", "before")
        import redis  # noqa: PLC0415

        with redis.Redis(port=redis_server.port) as old:
            old.replicaof("127.0.0.1", new.port)
        # The connection in the pool leads to what is now a replica; the name leads to the new primary.
        address.target = new.port
        assert client.set("a", "after")
        with redis.Redis(port=new.port) as primary:
            assert primary.get("a") == b"after"


@pytest.mark.e2e
def test_a_restart_is_not_noticed(redis_server: Redis, address: Forwarder) -> None:
    data_stores.configure_data_stores(settings_of({"redis": f"redis://127.0.0.1:{address.port}/0"}))
    client = data_stores.redis()
    client.set("a", "1")
    redis_server.kill()
    redis_server.start()
    assert client.set("a", "2")


@pytest.mark.e2e
def test_a_command_that_timed_out_is_not_sent_again(redis_server: Redis, address: Forwarder, tmp_path: Path) -> None:
    import redis  # noqa: PLC0415

    other = Redis(tmp_path / "other")
    with running(other):
        url = f"redis://127.0.0.1:{address.port}/0"
        data_stores.configure_data_stores(settings_of({"redis": url}, request_seconds=2))
        client = data_stores.redis()
        client.set("counter", 0)
        redis_server.pause()
        # Whoever tries again meets one that would carry it out.
        address.target = other.port
        try:
            with pytest.raises(redis.TimeoutError):
                client.incr("counter")
        finally:
            redis_server.resume()
        assert client.exists("counter") == 0


@pytest.mark.e2e
def test_a_redis_that_is_gone_or_silent_is_told(redis_server: Redis) -> None:
    import redis  # noqa: PLC0415

    data_stores.configure_data_stores(settings_of({"redis": redis_server.url}))
    check = data_stores.data_store_check("redis", redis_server.url)
    check.run()
    redis_server.pause()
    try:
        with pytest.raises(redis.TimeoutError):
            check.run()
    finally:
        redis_server.resume()
    redis_server.kill()
    with pytest.raises(redis.ConnectionError):
        data_stores.redis().get("counter")
    with pytest.raises(redis.ConnectionError):
        check.run()


@pytest.mark.e2e
def test_a_full_pool_fails_in_time_and_is_no_outage(redis_server: Redis) -> None:
    import redis  # noqa: PLC0415

    settings = settings_of({"redis": redis_server.url}, web_threads=1, request_seconds=1)
    data_stores.configure_data_stores(settings)
    pool = data_stores.redis().connection_pool
    held = [pool.get_connection() for _ in range(2)]
    with pytest.raises(redis.ConnectionError, match="No connection available"):
        data_stores.redis().get("a")
    data_stores.data_store_check("redis", redis_server.url).run()
    for connection in held:
        pool.release(connection)


@pytest.mark.e2e
def test_a_forked_child_has_connections_of_its_own(redis_server: Redis) -> None:
    data_stores.configure_data_stores(settings_of({"redis": redis_server.url}))
    client = data_stores.redis()
    before = client.client_id()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, str(client.client_id()).encode())
        finally:
            os._exit(0)
    os.close(write)
    assert os.waitpid(child, 0)[1] == 0
    assert int(os.read(read, 100)) != before
    os.close(read)
    assert client.client_id() == before


@pytest.mark.e2e
def test_tls_checks_who_answers(tmp_path: Path) -> None:
    import redis  # noqa: PLC0415

    certificate = tmp_path / "server.crt", tmp_path / "server.key"
    make_certificate(*certificate)
    server = Redis(tmp_path / "tls", certificate)
    with running(server):
        url = f"rediss://127.0.0.1:{server.port}/0"
        data_stores.configure_data_stores(settings_of({"redis": url}))
        with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
            data_stores.data_store_check("redis", url).run()
        data_stores.configure_data_stores(settings_of({"redis": f"{url}?ssl_ca_certs={certificate[0]}"}))
        data_stores.data_store_check("redis", url).run()
        assert data_stores.redis().set("a", 1)

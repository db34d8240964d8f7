"""The memcached client, against real servers: a cache that fails is a miss, several nodes are one cache."""

import logging
import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from baselib import data_stores
from baselib.data_stores import memcached_client, memcached_nodes
from baselib.data_stores.memcached_nodes import Memcached
from tests.baselib.data_stores import servers
from tests.baselib.data_stores.conftest import settings_of
from tests.baselib.data_stores.servers import running
from tests.baselib.processes import free_port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[servers.Memcached]:
    made = servers.Memcached(tmp_path / "memcached")
    with running(made):
        yield made


@pytest.mark.parametrize(
    ("url", "encrypted"),
    [
        ("memcached://cache.example", False),
        ("memcached://cache.example?tls=true", True),
        ("memcached://a.xyz.0001.euw1.cache.amazonaws.com:11211", True),
        ("memcached://a.xyz.0001.euw1.cache.amazonaws.com?tls=false", False),
        ("memcached://a.cache.amazonaws.com.example", False),
    ],
)
def test_elasticache_is_spoken_to_with_tls(url: str, encrypted: bool) -> None:
    data_stores.configure_data_stores(settings_of({"memcached": url}))
    context = data_stores.memcached().tls_context
    assert (context is not None) == encrypted
    if encrypted:
        assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)


@pytest.mark.parametrize(
    ("host", "several"),
    [
        ("duolingo-api-prod.abc.cfg.euw1.cache.amazonaws.com", True),
        ("clustercfg.duolingo-api-prod.abc.euw1.cache.amazonaws.com", True),
        ("duolingo-api-prod.abc.0001.euw1.cache.amazonaws.com", False),
        ("memcached.cfg.example", False),
    ],
)
def test_a_configuration_endpoint_is_known_by_its_name(host: str, several: bool) -> None:
    data_stores.configure_data_stores(settings_of({"memcached": f"memcached://{host}"}))
    assert data_stores.memcached()._nodes_known != several


@pytest.mark.e2e
def test_values_come_back(server: servers.Memcached) -> None:
    data_stores.configure_data_stores(settings_of({"memcached": server.url}))
    client = data_stores.memcached()
    assert client.set("a", b"1", expire=60)
    assert client.set_many({"b": b"2", "c": b"3"}) == []
    assert (client.get("a"), client.get("x", b"other")) == (b"1", b"other")
    assert client.get_many(["a", "b", "c", "x"]) == {"a": b"1", "b": b"2", "c": b"3"}
    assert (client.incr("a", 5), client.delete("a"), client.delete("a")) == (6, True, False)
    data_stores.data_store_check("memcached", server.url).run()


@pytest.mark.e2e
@pytest.mark.parametrize("failure", ["kill", "pause"])
def test_a_server_that_fails_is_a_miss_and_then_left_alone(
    server: servers.Memcached, failure: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(memcached_client, "_LONGEST_SECONDS", 0.3)
    clock = [1000.0]
    monkeypatch.setattr(memcached_nodes, "monotonic", lambda: clock[0])
    data_stores.configure_data_stores(settings_of({"memcached": server.url}))
    client = data_stores.memcached()
    client.set("a", b"1")
    getattr(server, failure)()
    asked: list[str] = []
    node = next(iter(client.clients.values()))
    real = node.get

    def get(key: str, **more: object) -> object:
        asked.append(key)
        return real(key, **more)

    monkeypatch.setattr(node, "get", get)
    try:
        with caplog.at_level(logging.WARNING, "baselib"):
            assert client.get("a") is None
            assert client.get("a", b"other") == b"other"
            assert client.get_many(["a", "b"]) == {}
            assert client.set("a", b"2") is False
            assert client.set_many({"a": b"2", "b": b"3"}) == ["a", "b"]
            assert client.add("a", b"2") is False
            assert client.delete("a") is False
        assert asked == ["a"]
        assert [record.message for record in caplog.records] == ["memcached fails: a miss for 5 s"]
        with pytest.raises(OSError, match=r"refused|timed out"):
            data_stores.data_store_check("memcached", server.url).run()
    finally:
        if failure == "kill":
            server.start()
        else:
            server.resume()
    assert client.get("a") is None
    clock[0] += 6
    assert client.set("a", b"4")
    assert client.get("a") == b"4"
    data_stores.data_store_check("memcached", server.url).run()


@pytest.mark.e2e
def test_a_mistake_of_the_caller_is_told(server: servers.Memcached) -> None:
    from pymemcache.exceptions import MemcacheClientError, MemcacheIllegalInputError  # noqa: PLC0415

    data_stores.configure_data_stores(settings_of({"memcached": server.url}))
    client = data_stores.memcached()
    with pytest.raises(MemcacheIllegalInputError):
        client.get("a b")
    with pytest.raises(MemcacheIllegalInputError):
        client.set("k" * 300, b"1")
    client.set("a", b"word")
    with pytest.raises(MemcacheClientError):
        client.incr("a", 1)
    assert client.get("a") == b"word"


@pytest.mark.e2e
def test_a_forked_child_has_connections_of_its_own(server: servers.Memcached) -> None:
    data_stores.configure_data_stores(settings_of({"memcached": server.url}))
    client = data_stores.memcached()
    client.set("a", b"1")
    pool = next(iter(client.clients.values())).client_pool
    child = os.fork()
    if not child:
        fresh = next(iter(client.clients.values())).client_pool is not pool
        os._exit(0 if fresh and client.get("a") == b"1" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert client.get("a") == b"1"
    assert next(iter(client.clients.values())).client_pool is pool


@pytest.mark.e2e
def test_the_nodes_behind_a_configuration_endpoint_are_one_cache(tmp_path: Path) -> None:
    nodes = [servers.Memcached(tmp_path / name) for name in ("one", "two")]
    with running(*nodes), servers.configuration_endpoint(*(node.port for node in nodes)) as endpoint:
        clients = [
            Memcached(("127.0.0.1", endpoint.port), is_configuration=True, timeout=5, connect_timeout=5)
            for _ in range(2)
        ]
        words = {f"key-{number}": str(number).encode() for number in range(40)}
        assert clients[0].set_many(words) == []
        # The other process finds everything, and both nodes hold some.
        assert clients[1].get_many(list(words)) == words
        assert all(client.stats() for client in clients[1].clients.values())
        held = [int(client.stats()[b"curr_items"]) for client in clients[1].clients.values()]
        assert sum(held) == 40
        assert min(held) > 0
        assert endpoint.asked == 2
        for client in clients:
            client.close()


@pytest.mark.e2e
def test_a_configuration_endpoint_that_is_gone_is_a_miss_too(caplog: pytest.LogCaptureFixture) -> None:
    client = Memcached(("127.0.0.1", free_port()), is_configuration=True, timeout=1, connect_timeout=1)
    assert client.get("a", b"other") == b"other"
    assert client.get_many(["a"]) == {}
    assert client.set_many({"a": b"1"}) == ["a"]
    with pytest.raises(OSError, match="refused"):
        client.ask_all()
    assert len(caplog.records) == 1


@pytest.mark.e2e
def test_tls_checks_who_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = servers.program("memcached", "memcached")
    if "--enable-ssl" not in subprocess.run([path, "-h"], capture_output=True, text=True, check=False).stdout:
        pytest.skip("this memcached was built without TLS")
    certificate = tmp_path / "server.crt", tmp_path / "server.key"
    servers.make_certificate(*certificate)
    server = servers.Memcached(tmp_path / "tls", certificate)
    with running(server):
        data_stores.configure_data_stores(settings_of({"memcached": f"{server.url}?tls=true"}))
        with pytest.raises(ssl.SSLCertVerificationError):
            data_stores.data_store_check("memcached", server.url).run()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        data_stores.configure_data_stores(settings_of({"memcached": f"{server.url}?tls=true"}))
        data_stores.data_store_check("memcached", server.url).run()

"""The OpenSearch client, against a stub that speaks a little of the protocol: no OpenSearch can be had here."""

import base64
import gzip
import os
from typing import Any

import pytest

from baselib import aws, data_stores
from tests.baselib.data_stores.conftest import settings_of
from tests.baselib.data_stores.servers import OpenSearchStub
from tests.baselib.processes import free_port


def _header(stub: OpenSearchStub, name: str) -> str | None:
    headers = {key.lower(): value for key, value in stub.requests[-1][2].items()}
    return headers.get(name)


def test_a_document_is_sent_compressed_and_as_the_user_of_the_address(opensearch: OpenSearchStub) -> None:
    url = f"http://app:hunter2%40home@127.0.0.1:{opensearch.port}/prefix/"
    data_stores.configure_data_stores(settings_of({"elasticsearch": url}))
    data_stores.elasticsearch().index(index="orders", body={"n": 1}, id="1")
    method, path, _, body = opensearch.requests[-1]
    assert (method, path) == ("PUT", "/prefix/orders/_doc/1")
    assert gzip.decompress(body) == b'{"n":1}'
    authorization = _header(opensearch, "authorization")
    assert authorization == "Basic " + base64.b64encode(b"app:hunter2@home").decode()


def test_without_a_user_nothing_is_signed(opensearch: OpenSearchStub) -> None:
    data_stores.configure_data_stores(settings_of({"elasticsearch": opensearch.url}))
    data_stores.elasticsearch().search(index="orders")
    assert _header(opensearch, "authorization") is None


@pytest.mark.parametrize(
    ("host", "region", "service"),
    [
        ("search-a-b1.eu-west-1.es.amazonaws.com", "eu-west-1", "es"),
        ("vpc-a-b1.us-gov-west-1.es.amazonaws.com", "us-gov-west-1", "es"),
        ("vpc-a-b1.cn-north-1.es.amazonaws.com.cn", "cn-north-1", "es"),
        ("abc.us-east-2.aoss.amazonaws.com", "us-east-2", "aoss"),
    ],
)
def test_a_domain_of_amazon_is_asked_in_the_name_of_the_role(
    host: str, region: str, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    aws.reset()
    data_stores.configure_data_stores(settings_of({"elasticsearch": f"https://{host}"}))
    connection: Any = data_stores.elasticsearch().transport.get_connection()
    signed = connection.http_auth("GET", f"https://{host}/orders", b"")
    assert f"/{region}/{service}/aws4_request" in signed["Authorization"]
    assert "Credential=key/" in signed["Authorization"]
    assert (connection.use_ssl, connection.port) == (True, 443)


@pytest.mark.parametrize(
    "url", ["https://app:word@search-a-b1.eu-west-1.es.amazonaws.com", "https://a.eu-west-1.es.amazonaws.com.example"]
)
def test_a_user_or_another_host_is_not_signed_for(url: str) -> None:
    data_stores.configure_data_stores(settings_of({"elasticsearch": url}))
    connection: Any = data_stores.elasticsearch().transport.get_connection()
    assert not callable(connection.http_auth)


def test_a_silent_server_costs_a_bounded_time_and_is_asked_once(opensearch: OpenSearchStub) -> None:
    from opensearchpy.exceptions import ConnectionTimeout  # noqa: PLC0415

    data_stores.configure_data_stores(settings_of({"elasticsearch": opensearch.url}, request_seconds=1))
    opensearch.silent.set()
    with pytest.raises(ConnectionTimeout):
        data_stores.elasticsearch().index(index="orders", body={"n": 1})
    assert len(opensearch.requests) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_may_have_been_carried_out_is_not_sent_again(opensearch: OpenSearchStub, status: int) -> None:
    from opensearchpy.exceptions import TransportError  # noqa: PLC0415

    data_stores.configure_data_stores(settings_of({"elasticsearch": opensearch.url}))
    opensearch.status = status
    with pytest.raises(TransportError):
        data_stores.elasticsearch().index(index="orders", body={"n": 1})
    assert len(opensearch.requests) == 1


def test_the_check_asks_who_is_there(opensearch: OpenSearchStub) -> None:
    check = data_stores.data_store_check("elasticsearch", opensearch.url)
    data_stores.configure_data_stores(settings_of({"elasticsearch": opensearch.url}))
    check.run()
    assert opensearch.requests[-1][:2] == ("GET", "/")
    opensearch.status = 401
    with pytest.raises(Exception, match="401"):
        check.run()
    data_stores.configure_data_stores(settings_of({"elasticsearch": f"http://127.0.0.1:{free_port()}"}))
    with pytest.raises(Exception, match="refused"):
        check.run()


def test_a_forked_child_has_connections_of_its_own(opensearch: OpenSearchStub) -> None:
    data_stores.configure_data_stores(settings_of({"elasticsearch": opensearch.url}))
    client = data_stores.elasticsearch()
    client.info()
    client.info()
    assert opensearch.connections == 1
    child = os.fork()
    if not child:
        try:
            client.info()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert opensearch.connections == 2
    client.info()
    assert opensearch.connections == 2
    assert len(opensearch.requests) == 4

"""One client for each declared dependency."""

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from baselib import http
from baselib.contract import Settings
from tests.baselib.http.conftest import Serve
from tests.baselib.processes import PATIENCE_SECONDS

SETTINGS: dict[str, Any] = {"product": "duolingo", "service": "api", "owner": "platform"}

Declare = Callable[..., None]


def test_there_is_one_client_for_a_dependency_and_all_threads(declared: Declare) -> None:
    declared(Settings(**SETTINGS, dependency_urls={"shop-stock": "http://stock"}))
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(http.client("shop-stock"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert set(found) == {http.client("shop-stock")}


def test_what_was_not_declared_is_an_error_that_says_what_was(declared: Declare) -> None:
    declared(Settings(**SETTINGS, dependency_urls={"shop-stock": "http://user:hunter2@stock"}), soft=["shop-mail"])
    with pytest.raises(LookupError) as error:
        http.client("shop-api")
    assert str(error.value) == (
        "'shop-api' is not a declared dependency of this service; declared are: shop-mail, shop-stock"
    )


def test_nothing_is_declared_before_there_is_a_service() -> None:
    code = "from baselib import http; http.client('shop-api')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.stderr.endswith(
        "LookupError: 'shop-api' is not a declared dependency of this service; declared are: none\n"
    )


def test_urllib3_is_not_imported_until_the_first_call() -> None:
    code = (
        "import sys; from baselib import http; from baselib.contract import Settings\n"
        f"http.configure_http(Settings(**{SETTINGS}, dependency_urls={{'shop-api': 'http://127.0.0.1:9'}}))\n"
        "http.client('shop-api')\n"
        "assert not {'urllib3', 'boto3'} & set(sys.modules), 'too early'\n"
        "http.client('shop-api').get('/', timeout=1, fallback=None)\n"
        "assert 'urllib3' in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_soft_dependency_without_an_address_is_its_fallback_at_once(
    declared: Declare, captured_metrics: list[str]
) -> None:
    declared(Settings(**SETTINGS), soft=["shop-mail"])
    client = http.client("shop-mail")
    assert client.get("/", fallback=str).json() == "shop-mail: has no address here"
    with pytest.raises(http.UnavailableError):
        client.get("/")
    assert "test.dependencies.calls:1|c|#dependency:shop-mail,outcome:unavailable" in captured_metrics


def test_it_says_who_it_is(declared: Declare, serve: Serve) -> None:
    server, _ = serve()
    declared(Settings(**SETTINGS, release="1.2 (ä)\n", dependency_urls={"shop-stock": server.url}))
    http.client("shop-stock").get("/")
    assert server.requests[0].headers["user-agent"] == "duolingo-api/1.2-----"


def test_the_places_come_from_the_threads(declared: Declare) -> None:
    settings = Settings(**SETTINGS, web_threads=8, dependency_urls={"shop-stock": "http://stock"})
    declared(settings)
    assert http.client("shop-stock")._calls._bulkhead.places == 6
    declared(settings, threads=1)
    assert http.client("shop-stock")._calls._bulkhead.places == 1


def test_another_configuration_closes_the_connections_of_the_one_before(declared: Declare, serve: Serve) -> None:
    server, _ = serve()
    settings = Settings(**SETTINGS, dependency_urls={"shop-stock": server.url})
    declared(settings)
    before = http.client("shop-stock")
    before.get("/")
    declared(settings)
    assert http.client("shop-stock") is not before
    assert before._calls._transport is None

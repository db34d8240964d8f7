"""What the tests of the data stores share: servers, started when the first test asks for them, and no client left."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baselib import data_stores
from baselib.contract import DataStore, Settings
from tests.baselib.data_stores.servers import OpenSearchStub, Postgres, Redis, running


@pytest.fixture(autouse=True)
def _no_clients() -> Iterator[None]:
    data_stores.reset()
    yield
    data_stores.reset()


def settings_of(urls: dict[DataStore, str] | None = None, **more: Any) -> Settings:
    """The settings of a service with some data stores."""
    return Settings(product="duolingo", service="api", owner="platform", data_store_urls=urls or {}, **more)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One for all tests that leave it as it was."""
    server = Postgres()
    with running(server):
        yield server


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path / "redis")
    with running(server):
        yield server


@pytest.fixture
def opensearch() -> Iterator[OpenSearchStub]:
    stub = OpenSearchStub()
    yield stub
    stub.close()

"""What the tests of aws share: no client and no credential of the developer's outlives or enters a test."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from baselib import aws
from baselib.aws import clients
from baselib.contract import Settings
from tests.baselib.aws.stub import Stub, stubbed

REGION = "us-east-1"
Configure = Callable[..., Settings]


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("AWS_", "ECS_")):
            monkeypatch.delenv(name)
    # Otherwise botocore would read the developer's own files.
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    before = clients._clients._settings
    clients._clients._settings = None
    clients._clients._warm = ()
    aws.reset()
    yield
    clients._clients._settings = before
    clients._clients._warm = ()
    aws.reset()


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server that answers `{}` until the test says otherwise."""
    with stubbed() as made:
        yield made


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Configures the clients of a service that has static keys, as on a developer's machine."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    def configure(url: str, *, threads: int | None = None, **more: Any) -> Settings:
        settings = Settings(
            product="duolingo",
            service="api",
            owner="platform",
            aws_endpoint_url=url,
            **{"aws_region": REGION, **more},
        )
        aws.configure_aws(settings, threads=threads)
        return settings

    return configure

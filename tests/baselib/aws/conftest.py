"""What the tests of aws share: no client and no credential of the developer's outlives or enters a test."""

import os
from collections.abc import Iterator

import pytest

from baselib import aws
from baselib.aws import clients


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
    aws.reset()
    yield
    clients._clients._settings = before
    aws.reset()

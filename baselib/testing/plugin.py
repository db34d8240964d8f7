"""The pytest plug-in of services: sets the contract's variables before the service is imported, and offers fixtures.

In a folder that was not copied from the template the variables stay as they are, and the fixtures work all the same.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from baselib.testing.embedded_aws import EmbeddedAws


def pytest_configure(config: pytest.Config) -> None:
    """Set the variables; what the developer has set stays."""
    from baselib.testing.local_environment import local_environment, read_answers  # noqa: PLC0415

    answers = read_answers(config.rootpath)
    if answers is not None:
        for name, value in local_environment(answers).items():
            os.environ.setdefault(name, value)


@pytest.fixture(scope="session")
def embedded_aws_server() -> "Iterator[EmbeddedAws]":
    """One embedded AWS for all tests."""
    from baselib.testing.embedded_aws import EmbeddedAws  # noqa: PLC0415

    with EmbeddedAws() as embedded:
        yield embedded


@pytest.fixture
def embedded_aws(embedded_aws_server: "EmbeddedAws", monkeypatch: pytest.MonkeyPatch) -> "Iterator[EmbeddedAws]":
    """An embedded AWS that this test's `baselib.aws` clients use."""
    from baselib import aws  # noqa: PLC0415

    for name, value in embedded_aws_server.environment.items():
        monkeypatch.setenv(name, value)
    aws.reset()
    yield embedded_aws_server
    aws.reset()


@pytest.fixture
def captured_metrics() -> Iterator[list[str]]:
    """The lines that the test's metrics become."""
    from baselib.telemetry import metrics  # noqa: PLC0415

    lines: list[str] = []
    before = (metrics._target, metrics._prefix, metrics._tags)
    metrics.configure(lines.append, prefix="test")
    yield lines
    metrics.configure(before[0], prefix=before[1], tags=before[2])

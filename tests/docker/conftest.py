"""The engine of these tests."""

from collections.abc import Iterator

import pytest

from tests.docker.engine import Engine, NoEngineError, running_engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A Docker engine with the base image."""
    try:
        with running_engine() as found:
            yield found
    except NoEngineError as error:
        pytest.skip(f"Docker: {error}")

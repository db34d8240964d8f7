"""Tells what came of the disturbances."""

from collections.abc import Iterator

import pytest

from tests.reliability import report


@pytest.fixture(scope="session", autouse=True)
def _reported() -> Iterator[None]:
    yield
    report.write()

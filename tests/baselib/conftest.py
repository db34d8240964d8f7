"""Every test here leaves this process as it found it, and no other process behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.baselib.processes import Launch, launching, restored


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with restored():
        yield


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    with launching(tmp_path) as launch:
        yield launch

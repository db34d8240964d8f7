"""What the tests of the engine share."""

import pytest

from baselib.worker.engine import deleting, receiving, visibility


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that waits as little as it can after a failure."""
    for module in (receiving, deleting, visibility):
        monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.01)
        monkeypatch.setattr(module, "_LONGEST_PAUSE_SECONDS", 0.02)

"""What the tests of several folders share."""

from pathlib import Path

import pytest

from tools.template import snapshot


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this repository, with its history, in which everything is committed."""
    return snapshot(tmp_path_factory.mktemp("platform") / "platform")

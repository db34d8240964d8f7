"""What the tests of several folders share."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# `tools` belongs to the repository and is not installed.
sys.path.insert(0, str(ROOT))

from tools.template import snapshot  # noqa: E402 - needs the line above


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this repository, with its history, in which everything is committed."""
    return snapshot(tmp_path_factory.mktemp("platform") / "platform")

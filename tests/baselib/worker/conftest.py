"""Every test here leaves this process as it found it, and no other process behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from baselib.aws import configure_aws
from baselib.contract import Settings
from baselib.testing import EmbeddedAws
from tests.baselib.cli.conftest import IDENTITY, Launch, launching, restored


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with restored():
        yield


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    with launching(tmp_path) as launch:
        yield launch


@pytest.fixture
def queue_url(embedded_aws: EmbeddedAws, request: pytest.FixtureRequest) -> str:
    """A queue of this test's own, with clients that are set up as a service sets them up."""
    configure_aws(Settings.from_environment({**IDENTITY, **embedded_aws.environment}))
    return embedded_aws.make_queue(f"test-{abs(hash(request.node.nodeid))}")

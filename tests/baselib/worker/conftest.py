"""A queue for each test."""

import pytest

from baselib.aws import configure_aws
from baselib.contract import Settings
from baselib.testing import EmbeddedAws
from tests.baselib.processes import IDENTITY


@pytest.fixture
def queue_url(embedded_aws: EmbeddedAws, request: pytest.FixtureRequest) -> str:
    """A queue of this test's own, with clients that are set up as a service sets them up."""
    configure_aws(Settings.from_environment({**IDENTITY, **embedded_aws.environment}))
    return embedded_aws.make_queue(f"test-{abs(hash(request.node.nodeid))}")

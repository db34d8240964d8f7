"""A queue for each test, in moto's SQS, and a stub of SQS that is fast and right with many threads."""

from collections.abc import Iterator

import pytest

from baselib.aws import configure_aws
from baselib.contract import Settings
from baselib.testing import EmbeddedAws
from tests.baselib.processes import IDENTITY
from tests.sqs_stub.client import Stub, sqs_stub


@pytest.fixture
def queue_url(embedded_aws: EmbeddedAws, request: pytest.FixtureRequest) -> str:
    """A queue of this test's own, with clients that are set up as a service sets them up."""
    configure_aws(Settings.from_environment({**IDENTITY, **embedded_aws.environment}))
    return embedded_aws.make_queue(f"test-{abs(hash(request.node.nodeid))}")


@pytest.fixture(scope="module")
def stub_process() -> Iterator[Stub]:
    """One stub of SQS for a file."""
    with sqs_stub() as stub:
        yield stub


@pytest.fixture
def stub(stub_process: Stub) -> Iterator[Stub]:
    """A stub of SQS without faults."""
    stub_process.reset_statistics()
    yield stub_process
    stub_process.clear_faults()

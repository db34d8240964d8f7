"""A stub of SQS, which can be told to fail."""

from collections.abc import Iterator

import pytest

from baselib import aws
from baselib.contract import Settings
from baselib.worker.sending.storage import configure_payloads
from tests.baselib.processes import IDENTITY
from tests.sqs_stub.client import Stub, sqs_stub


@pytest.fixture(scope="session")
def _stub_process() -> Iterator[Stub]:
    with sqs_stub() as stub:
        yield stub


@pytest.fixture
def stub(_stub_process: Stub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The stub, with clients that are set up as a service sets them up."""
    for name, value in _stub_process.environment.items():
        monkeypatch.setenv(name, value)
    aws.configure_aws(Settings.from_environment({**IDENTITY, "AWS_REGION": "eu-west-1"}))
    _stub_process.clear_faults()
    _stub_process.reset_statistics()
    yield _stub_process
    _stub_process.clear_faults()
    configure_payloads(None)
    aws.reset()

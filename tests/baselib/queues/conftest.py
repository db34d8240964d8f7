"""One stub of SQS for these tests, and the command as they call it."""

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from baselib import aws
from baselib.cli import main
from baselib.queues import batches
from tests.sqs_stub.client import Stub, sqs_stub


@dataclass(frozen=True)
class Ran:
    """A command that ended."""

    code: int
    output: str
    errors: str
    document: dict[str, Any] = field(default_factory=dict)


Queue = Callable[..., Ran]


@pytest.fixture(scope="session")
def served() -> Iterator[Stub]:
    with sqs_stub() as stub:
        yield stub


@pytest.fixture
def stub(served: Stub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The stub, as this process's SQS and without faults."""
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "LOG_MASKED_FIELDS"):
        monkeypatch.delenv(name, raising=False)
    # What is tried again need not be waited for.
    monkeypatch.setattr(batches, "_FIRST_PAUSE_SECONDS", 0.005)
    served.clear_faults()
    aws.reset()
    yield served
    served.clear_faults()


@pytest.fixture
def sqs(stub: Stub) -> Any:
    """A plain boto3 client."""
    return boto3.client("sqs", endpoint_url=stub.url, region_name="eu-west-1")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A queue's name of this test's own."""
    return re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:50] + f"-{abs(hash(request.node.nodeid)) % 10**6}"


@pytest.fixture
def queue(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Queue:
    """Runs `baselib queue ...` in this process; what is no terminal is its standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        try:
            code = main(["queue", *arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = capsys.readouterr()
        document = json.loads(told.out) if "--json" in arguments and told.out else {}
        assert "Traceback" not in told.err
        return Ran(code, told.out, told.err, document)

    return run

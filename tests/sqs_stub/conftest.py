"""One stub for all tests of the stub, and a queue for each."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sqs_stub.client import Stub, sqs_stub

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def _stub() -> Iterator[Stub]:
    with sqs_stub() as stub:
        yield stub


@pytest.fixture
def stub(_stub: Stub) -> Iterator[Stub]:
    yield _stub
    _stub.clear_faults()


@pytest.fixture
def sqs(stub: Stub) -> Iterator[Any]:
    client = stub.client()
    yield client
    client.close()


@pytest.fixture
def make(stub: Stub) -> Callable[..., str]:
    """Makes a queue under a name of its own."""

    def make(**attributes: object) -> str:
        suffix = ".fifo" if "FifoQueue" in attributes else ""
        return stub.make_queue(f"Queue-{next(_numbers)}{suffix}", **attributes)

    return make


@pytest.fixture
def queue(make: Callable[..., str]) -> str:
    return make()

"""A stub for each test, because its faults and its clock are for everybody."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.reliability.workers.fleet import Fleet
from tests.sqs_stub.client import Stub, sqs_stub

MakeFleet = Callable[..., Fleet]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with sqs_stub() as stub:
        yield stub


@pytest.fixture
def fleet_of(stub: Stub, tmp_path: Path) -> Iterator[MakeFleet]:
    """Makes the fleet of a queue, and ends it."""
    fleets: list[Fleet] = []

    def make(queue: str, *, places: int = 2, **environment: str) -> Fleet:
        folder = tmp_path / f"fleet-{len(fleets)}"
        folder.mkdir()
        fleets.append(Fleet(stub, queue, folder, environment, places))
        return fleets[-1]

    yield make
    for fleet in fleets:
        fleet.close()

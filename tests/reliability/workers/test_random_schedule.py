"""Everything at random: none lost, none twice but what a killed worker held, and no effect twice."""

import os
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, text

from baselib.worker.idempotency import handled_messages
from tests.reliability.workers.account import resumed
from tests.reliability.workers.conftest import MakeFleet
from tests.reliability.workers.credentials import credentials_endpoint
from tests.reliability.workers.disturbances import ALWAYS, Disturber, schedule
from tests.reliability.workers.told import tell
from tests.sqs_stub.client import Stub

SEEDS = [int(seed) for seed in os.environ.get("RELIABILITY_SEEDS", "1,2").split(",")]
MESSAGES = int(os.environ.get("RELIABILITY_MESSAGES", "20000"))
VISIBILITY = 30
# Four threads, twenty ahead, and what is handled but not deleted yet.
MOST_HELD = 4 + 20 + 500


def _database(folder: Path) -> Path:
    file = folder / "effects.sqlite"
    engine = create_engine(f"sqlite:///{file}")
    metadata = MetaData()
    handled_messages(metadata)
    with engine.begin() as connection:
        # So that a reader and a writer do not wait for each other; it stays with the file.
        connection.execute(text("PRAGMA journal_mode=WAL"))
    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.execute(text("CREATE TABLE effects (message TEXT NOT NULL)"))
    engine.dispose()
    return file


def _effects(file: Path) -> Counter[str]:
    connection = sqlite3.connect(file)
    try:
        return Counter(message for (message,) in connection.execute("SELECT message FROM effects"))
    finally:
        connection.close()


def _disturbed(
    stub: Stub,
    fleet_of: MakeFleet,
    folder: Path,
    seed: int,
    messages: int,
    *,
    throttling: float,
    credentials: float,
    signals: tuple[float, float],
    job: float,
) -> None:
    steps = schedule(seed, throttling=throttling, credentials=credentials, signals=signals)
    print(f"seed {seed} (RELIABILITY_SEEDS), {messages} messages (RELIABILITY_MESSAGES)", *steps, sep="\n")
    queue = stub.make_queue("random", VisibilityTimeout=str(VISIBILITY))
    database = _database(folder)
    portion = messages // (sum(step.seconds > 0 for step in steps) + 1)
    filled: list[str] = []

    def fill(count: int) -> None:
        filled.extend(stub.fill(queue, count))

    with credentials_endpoint(4.0) as endpoint:
        fleet = fleet_of(
            queue,
            **endpoint.environment,
            RELIABILITY_VISIBILITY=str(VISIBILITY),
            RELIABILITY_SECONDS=str(job),
            RELIABILITY_FAILURES="0.01",
            RELIABILITY_DATABASE=f"sqlite:///{database}",
        )
        stub.set_faults(*ALWAYS, seed=seed)
        fill(portion)
        fleet.start()
        for place in range(2):
            fleet.life(place)
        disturber = Disturber(stub, fleet, endpoint)
        disturber.run(steps, lambda: fill(portion))
        fill(messages - len(filled))
        fleet.finish(VISIBILITY)
    again = {f"{what} {end:.0f}": resumed(fleet, end) for what, end in disturber.outages}
    print(again)
    slowest = max((seconds for seconds in again.values() if seconds is not None), default=None)
    signalled = Counter(life.sent.name for life in fleet.lives if life.sent and life.told)
    told = ", ".join(f"{count} {name}" for name, count in sorted(signalled.items()))
    found = tell(f"everything at random, seed {seed}", fleet, VISIBILITY, resumed=slowest, note=told)
    effects = _effects(database)
    assert {message: count for message, count in effects.items() if count > 1} == {}
    assert effects.keys() == set(filled)
    assert found.messages == messages
    assert found.held <= MOST_HELD
    assert all(life.code == 0 for life in fleet.lives if not life.killed)
    assert [what for what, seconds in again.items() if seconds is not None and seconds > 5.0] == []


def test_a_short_random_schedule(stub: Stub, fleet_of: MakeFleet, tmp_path: Path) -> None:
    _disturbed(stub, fleet_of, tmp_path, SEEDS[0], 1_500, throttling=1.5, credentials=5.0, signals=(2.0, 4.0), job=0.02)


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_schedule(stub: Stub, fleet_of: MakeFleet, tmp_path: Path, seed: int) -> None:
    _disturbed(
        stub, fleet_of, tmp_path, seed, MESSAGES, throttling=15.0, credentials=7.0, signals=(1.5, 4.0), job=0.004
    )

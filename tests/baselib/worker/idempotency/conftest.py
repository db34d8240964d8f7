"""Stores, databases and messages for the tests of idempotency."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, create_engine, make_url
from sqlalchemy.orm import Session

from baselib.aws import configure_aws
from baselib.contract import Settings
from baselib.testing import EmbeddedAws
from baselib.worker.idempotency import DynamoDBStore, MemoryStore, Record, Store, handled_messages
from baselib.worker.message import Message
from tests.baselib.data_stores.servers import Postgres, running
from tests.baselib.processes import IDENTITY

SETTINGS = Settings(product="duolingo", service="api", owner="platform", coordination_table="coordination")

metadata = MetaData()
handled_messages(metadata)
# Without a unique column: an effect that happened twice is to be seen.
effects = Table("effects", metadata, Column("number", Integer, primary_key=True), Column("message", Text))


def message_of(body: object = "{}", *, id: str = "m-1", receive_count: int = 1, queue: str = "main") -> Message[object]:  # noqa: A002
    """A message."""
    return Message(id=id, body=body, attributes={}, receive_count=receive_count, sent=0.0, queue=queue)


class SerialDynamoDBStore(DynamoDBStore):
    """One request at a time: DynamoDB's conditional writes are atomic, moto looks first and writes later."""

    _one = threading.Lock()

    def put(self, key: str, record: Record, now: float) -> Record | None:
        with self._one:
            return super().put(key, record, now)

    def remove(self, key: str, holder: str) -> None:
        with self._one:
            super().remove(key, holder)


@pytest.fixture
def table(embedded_aws: EmbeddedAws) -> Iterator[str]:
    """The coordination table, as Terraform makes it."""
    configure_aws(Settings.from_environment({**IDENTITY, **embedded_aws.environment}))
    dynamodb = embedded_aws.client("dynamodb")
    dynamodb.create_table(
        TableName="coordination",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield "coordination"
    dynamodb.delete_table(TableName="coordination")


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each store."""
    if request.param == "memory":
        return MemoryStore()
    made = SerialDynamoDBStore(request.getfixturevalue("table"))
    made.configure(SETTINGS)
    return made


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    server = Postgres()
    with running(server):
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of each database; nothing is in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/database"
    server: Postgres = request.getfixturevalue("postgres_server")
    return make_url(server.url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """An engine of each database, with the tables."""
    made = create_engine(database)
    metadata.create_all(made)
    yield made
    metadata.drop_all(made)
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as made:
        yield made

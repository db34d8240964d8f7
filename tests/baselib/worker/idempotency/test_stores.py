"""What every store does with its records."""

from dataclasses import replace

import pytest

from baselib.contract import ConfigurationError, Settings
from baselib.testing import EmbeddedAws
from baselib.worker.idempotency import DynamoDBStore, Record, Store
from tests.baselib.worker.idempotency.conftest import SETTINGS

NOW = 1_800_000_000.5
UNDER_WAY = Record("in_progress", "a", "hash", 1_800_000_060)
DONE = replace(UNDER_WAY, status="done", expires=1_800_086_400)


def test_a_record_is_in_the_way_of_another_holder_until_it_expires(store: Store) -> None:
    other = replace(UNDER_WAY, holder="b")
    assert store.put("key", UNDER_WAY, NOW) is None
    assert store.put("key", other, NOW) == UNDER_WAY
    assert store.put("key", other, UNDER_WAY.expires - 0.001) == UNDER_WAY
    assert store.put("another key", other, NOW) is None
    assert store.put("key", other, UNDER_WAY.expires) is None
    assert store.put("key", UNDER_WAY, NOW) == other


def test_what_is_done_stays_done_for_every_holder_until_it_expires(store: Store) -> None:
    assert store.put("key", UNDER_WAY, NOW) is None
    assert store.put("key", DONE, NOW) is None
    # Its own too: a request that was long on its way.
    assert store.put("key", UNDER_WAY, NOW) == DONE
    assert store.put("key", replace(UNDER_WAY, holder="b"), NOW) == DONE
    assert store.put("key", replace(UNDER_WAY, holder="b"), DONE.expires) is None


def test_a_holder_may_write_its_own_record_again(store: Store) -> None:
    # As when the answer to a request that was carried out is lost.
    for _ in range(2):
        assert store.put("key", UNDER_WAY, NOW) is None
    longer = replace(UNDER_WAY, expires=UNDER_WAY.expires + 60)
    assert store.put("key", longer, NOW) is None
    assert store.put("key", replace(UNDER_WAY, holder="b"), UNDER_WAY.expires) == longer
    for _ in range(2):
        assert store.put("key", DONE, NOW) is None


def test_a_holder_whose_time_was_over_does_not_overwrite_the_next_one(store: Store) -> None:
    other = replace(UNDER_WAY, holder="b", expires=UNDER_WAY.expires + 60)
    assert store.put("key", UNDER_WAY, NOW) is None
    assert store.put("key", other, UNDER_WAY.expires) is None
    assert store.put("key", DONE, UNDER_WAY.expires) == other
    store.remove("key", "a")
    assert store.put("key", UNDER_WAY, NOW) == other


def test_a_removed_record_is_in_nobodys_way(store: Store) -> None:
    assert store.put("key", UNDER_WAY, NOW) is None
    for _ in range(2):
        store.remove("key", "a")
    store.remove("a key that never was", "a")
    assert store.put("key", replace(UNDER_WAY, holder="b"), NOW) is None


def test_a_record_without_a_hash_comes_back_without(store: Store) -> None:
    bare = replace(UNDER_WAY, body_hash=None)
    assert store.put("key", bare, NOW) is None
    assert store.put("key", replace(bare, holder="b"), NOW) == bare


def test_the_table_holds_what_its_time_to_live_needs(table: str, embedded_aws: EmbeddedAws) -> None:
    store = DynamoDBStore()
    store.configure(SETTINGS)
    store.put("key", UNDER_WAY, NOW)
    [item] = embedded_aws.client("dynamodb").scan(TableName=table)["Items"]
    assert item == {
        "key": {"S": "key"},
        "status": {"S": "in_progress"},
        "holder": {"S": "a"},
        "body_hash": {"S": "hash"},
        "expires": {"N": "1800000060"},
    }


def test_a_table_that_is_named_nowhere_is_an_error_at_start() -> None:
    settings = Settings(product="duolingo", service="api", owner="platform")
    with pytest.raises(ConfigurationError, match="COORDINATION_TABLE is not set"):
        DynamoDBStore().configure(settings)
    DynamoDBStore("mine").configure(settings)


def test_a_table_that_is_not_there_raises(embedded_aws: EmbeddedAws) -> None:
    store = DynamoDBStore("missing")
    store.configure(SETTINGS)
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        store.put("key", UNDER_WAY, NOW)

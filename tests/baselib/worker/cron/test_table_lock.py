"""The lock between the tasks of a service."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from baselib import aws
from baselib.worker.cron import LockUnavailableError, table_lock
from baselib.worker.cron.last_resort import LastResort
from baselib.worker.cron.table import RefusedError, change_item
from baselib.worker.cron.table_lock import TableLock
from tests.baselib.processes import until

KEY = "lock#duolingo-nightly#duolingo-nightly"


class _Resort(LastResort):
    """Ends nothing."""

    def __init__(self) -> None:
        self.moments: list[float] = []

    def set(self, reason: str, moment: float) -> None:
        self.moments.append(moment)


def _lock(table: str, now: float = 1_000_000.0, lease: float = 60.0) -> TableLock:
    return TableLock(table, KEY, lease, lambda: now)


def _item(table: str) -> dict[str, Any]:
    item: dict[str, Any] = aws.client("dynamodb").get_item(TableName=table, Key={"key": {"S": KEY}})["Item"]
    return item


def test_one_at_a_time_has_it(table: str) -> None:
    first, second = _lock(table), _lock(table)
    assert first.acquire("first") is None
    held = second.acquire("second")
    assert held is not None
    assert held.name == "first"
    assert held.since == "1970-01-12T13:46:40.000+00:00"
    first.release()
    assert second.acquire("second") is None
    assert (first.token, second.token) == (1, 2)


@pytest.mark.parametrize(("seconds", "free"), [(60.0, False), (69.9, False), (70.1, True)])
def test_an_expired_lease_is_free_after_the_margin_for_clocks(table: str, seconds: float, free: bool) -> None:
    _lock(table).acquire("first")
    second = _lock(table, 1_000_000.0 + seconds)
    assert (second.acquire("second") is None) == free


def test_the_token_outlives_the_lock(table: str) -> None:
    for expected in (1, 2, 3):
        lock = _lock(table)
        lock.acquire("somebody")
        lock.release()
        assert lock.token == expected
    # An expired item would be deleted, and the token would begin again.
    assert _item(table).keys() == {"key", "token"}


def test_only_the_owner_gives_it_back(table: str) -> None:
    first = _lock(table)
    first.acquire("first")
    second = _lock(table, 1_001_000.0)
    assert second.acquire("second") is None
    first.release()
    assert _item(table)["holder"] == {"S": "second"}


def test_a_lock_that_was_taken_by_an_attempt_without_an_answer_is_ours(table: str) -> None:
    lock = _lock(table)
    assert lock.acquire("first") is None
    # As botocore's second attempt does it.
    assert lock.acquire("first") is None
    assert lock.token == 1


def test_no_table_is_no_lock(embedded_aws: object, table: str) -> None:
    with pytest.raises(LockUnavailableError, match="the table nowhere did not say"):
        _lock("nowhere").acquire("first")


def test_a_lock_is_renewed(table: str) -> None:
    lock = TableLock(table, KEY, 8.0)
    lock.acquire("first")
    before = float(_item(table)["lease_until"]["N"])
    resort = _Resort()
    lock.keep(pytest.fail, resort)
    until(lambda: float(_item(table)["lease_until"]["N"]) > before + 1, "two renewals")
    lock.release()
    assert resort.moments == sorted(resort.moments)
    assert len(resort.moments) > 1


def _failing_after(attempts: int, failure: Exception) -> Callable[..., Any]:
    lock, calls = threading.Lock(), [0]

    def changed(*args: Any, **kwargs: Any) -> Any:
        with lock:
            calls[0] += 1
            if calls[0] > attempts:
                raise failure
        return change_item(*args, **kwargs)

    return changed


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ClientError({"Error": {"Code": "InternalServerError"}}, "UpdateItem"), "not renewed before its end"),
        (RefusedError({"holder": {"S": "a:1/2"}}), "taken by another run: a:1/2"),
        (RefusedError({}), "taken by another run: unknown"),
    ],
)
def test_a_lost_lock_is_told(table: str, monkeypatch: pytest.MonkeyPatch, failure: Exception, told: str) -> None:
    lock = TableLock(table, KEY, 1.0)
    lock.acquire("first")
    monkeypatch.setattr(table_lock, "change_item", _failing_after(0, failure))
    lost: list[str] = []
    lock.keep(lost.append, _Resort())
    until(lambda: lost, "it is lost")
    assert told in lost[0]


def test_a_renewal_that_fails_is_tried_again(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = TableLock(table, KEY, 2.0)
    lock.acquire("first")
    failures = [OSError("reset"), OSError("reset")]

    def changed(*args: Any, **kwargs: Any) -> Any:
        if failures:
            raise failures.pop()
        return change_item(*args, **kwargs)

    monkeypatch.setattr(table_lock, "change_item", changed)
    before = float(_item(table)["lease_until"]["N"])
    lock.keep(pytest.fail, _Resort())
    until(lambda: float(_item(table)["lease_until"]["N"]) > before + 2, "it is renewed")
    assert not failures
    lock.release()


def test_a_release_that_fails_is_no_failure(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = _lock(table)
    lock.acquire("first")
    monkeypatch.setattr(table_lock, "change_item", _failing_after(0, OSError("reset")))
    lock.release()

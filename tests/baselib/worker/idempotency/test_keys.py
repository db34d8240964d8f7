"""Keys: legal for every store, and never the same for two messages."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselib.worker.idempotency.keys import queue_key
from baselib.worker.message import Reject


def test_a_key_names_its_queue() -> None:
    assert queue_key("main", "order-1") == "main#order-1"
    assert queue_key("invoices", "order-1") != queue_key("main", "order-1")


@pytest.mark.parametrize(
    ("key", "text"), [(17, "17"), (UUID(int=1), "00000000-0000-0000-0000-000000000001"), ("a b#c", "a b#c")]
)
def test_numbers_and_uuids_are_keys(key: int | UUID | str, text: str) -> None:
    assert queue_key("main", key) == f"main#{text}"


@pytest.mark.parametrize("key", ["", None])
def test_a_missing_key_is_rejected_because_all_such_messages_would_be_one(key: str | None) -> None:
    with pytest.raises(Reject, match="no idempotency key"):
        queue_key("main", key)


@pytest.mark.parametrize("key", [1.5, True, ["a"], b"a"])
def test_another_type_is_refused_by_name(key: object) -> None:
    with pytest.raises(TypeError, match=type(key).__name__):
        queue_key("main", key)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["x" * 201, "\0", "ä", "\ud800", "a\nb", "sha256:00"])
def test_what_a_store_might_not_take_is_hashed(key: str) -> None:
    hashed = queue_key("main", key)
    assert hashed.startswith("main#sha256:")
    assert len(hashed) == len("main#sha256:") + 64
    # A key that looks like the hash of another one is not that one.
    assert queue_key("main", hashed.removeprefix("main#")) != hashed


@given(st.text(min_size=1), st.text(min_size=1))
def test_different_keys_stay_different(first: str, second: str) -> None:
    assert (queue_key("main", first) == queue_key("main", second)) == (first == second)
    assert queue_key("main", first).isascii()

"""The hash of a body: the same for the same content, another one for other content."""

import pytest
from pydantic import BaseModel, Field

from baselib.worker.idempotency.bodies import body_hash, require_same_body
from baselib.worker.message import Reject


class Charge(BaseModel):
    order_id: int
    cents: int = Field(alias="amount")


class LaterCharge(Charge):
    currency: str = "EUR"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": [2]}', '{ "b":[2], "a":1 }'),
        (Charge(order_id=1, amount=5), '{"amount": 5, "order_id": 1}'),
        (Charge(order_id=1, amount=5), LaterCharge(order_id=1, amount=5)),
        ({"a": 1}, '{"a": 1}'),
        (b"\xff", b"\xff"),
    ],
)
def test_the_same_content_has_the_same_hash(one: object, other: object) -> None:
    assert body_hash(one) == body_hash(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1}', '{"a": 2}'),
        ('{"a": 1}', '{"a": "1"}'),
        ("not json", "not json "),
        (Charge(order_id=1, amount=5), Charge(order_id=1, amount=6)),
        (LaterCharge(order_id=1, amount=5), LaterCharge(order_id=1, amount=5, currency="USD")),
        ("[1, 2]", "[2, 1]"),
    ],
)
def test_other_content_has_another_hash(one: object, other: object) -> None:
    assert body_hash(one) != body_hash(other)


@pytest.mark.parametrize("body", ["[" * 100_000, "\ud800", '"\\ud800"', "NaN", ""])
def test_any_text_has_a_hash(body: str) -> None:
    assert len(body_hash(body)) == 64


def test_a_body_that_is_no_content_is_refused() -> None:
    with pytest.raises(TypeError):
        body_hash(object())


@pytest.mark.parametrize(("recorded", "found"), [("a", "a"), (None, "a"), ("a", None), (None, None)])
def test_bodies_are_compared_only_where_both_hashes_are_known(recorded: str | None, found: str | None) -> None:
    require_same_body(recorded, found)


def test_another_body_is_rejected_and_the_reason_names_neither_body_nor_key() -> None:
    with pytest.raises(
        Reject, match=r"^its idempotency key belongs to a message with another body, which was handled before$"
    ):
        require_same_body("a", "b")

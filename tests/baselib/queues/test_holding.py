"""Each message once, whatever SQS gives, and everything given back."""

from typing import Any

import pytest

from baselib.queues import holding
from baselib.queues.holding import Holding


class _Queue:
    """Gives what it was told, answer after answer, and then nothing."""

    name = "orders"

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self._receives = 0
        self.given_back: list[str] = []

    def receive(self, _most: int, _seconds: int) -> list[dict[str, Any]]:
        self._receives += 1
        answer = self._answers.pop(0) if self._answers else ""
        return [{"MessageId": each, "ReceiptHandle": f"{each}{self._receives}"} for each in answer]

    def change_visibility(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.given_back += [entry["ReceiptHandle"] for entry in entries]
        return {}


def _received(queue: _Queue) -> str:
    with Holding(queue, 30) as held:  # type: ignore[arg-type]
        found = ""
        while not held.exhausted:
            found += "".join(raw["MessageId"] for raw in held.receive())
        return found


def test_a_message_that_sqs_gives_twice_is_one_and_is_given_back_by_its_newest_receipt() -> None:
    queue = _Queue("ab", "bc")
    assert _received(queue) == "abc"
    assert queue.given_back == ["a1", "b2", "c2"]


def test_one_empty_answer_is_not_the_end() -> None:
    assert _received(_Queue("a", "", "b")) == "ab"


def test_the_same_again_and_again_is_the_end() -> None:
    assert _received(_Queue("a", *["a"] * 100)) == "a"


def test_what_may_be_with_somebody_else_by_now_is_not_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = _Queue("a")
    # As if more than the visibility had passed.
    monkeypatch.setattr(holding, "_MARGIN_SECONDS", 31.0)
    assert _received(queue) == "a"
    assert queue.given_back == []

"""A message as a handler gets it."""

import time

import pytest

from baselib.worker import Message, Reject, Retry
from baselib.worker.message import attributes_of


def _message(sent: float) -> Message[str]:
    return Message("1", "text", {}, 1, sent, "main")


def test_the_age_is_the_time_since_it_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert _message(970.0).age == 30.0


def test_a_clock_that_goes_wrong_makes_no_negative_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert _message(1500.0).age == 0.0


def test_only_string_attributes_are_given_to_the_handler() -> None:
    raw = {
        "MessageAttributes": {
            "a": {"DataType": "String", "StringValue": "1"},
            "b": {"DataType": "Binary", "BinaryValue": b"2"},
        }
    }
    assert attributes_of(raw) == {"a": "1"}
    assert attributes_of({}) == {}


def test_a_retry_says_when_only_if_it_was_told() -> None:
    assert (Retry("later").delay, Retry("later", 3).delay) == (None, 3)
    assert str(Reject("never")) == "never"

"""A message as a handler gets it."""

import time

import pytest

from baselib.testing import sqs_message
from baselib.worker import Message, Reject, Retry
from baselib.worker.engine.lease import Lease
from baselib.worker.message import attributes_of


def _message(sent: float = 0.0, held: Lease | None = None) -> Message[str]:
    return Message("1", "text", {}, 1, sent, "main", held=held)


def test_the_age_is_the_time_since_it_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert _message(970.0).age == 30.0


def test_a_clock_that_goes_wrong_makes_no_negative_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert _message(1500.0).age == 0.0


def test_what_a_test_makes_is_never_lost_and_has_all_the_time() -> None:
    assert not _message().lease_lost
    assert _message().remaining is None


def test_a_message_tells_that_it_was_lost() -> None:
    lease = Lease.for_test(sqs_message("text"))
    message = _message(held=lease)
    assert not message.lease_lost
    lease.until = time.monotonic()
    assert message.lease_lost
    lease.until += 60
    assert not message.lease_lost
    lease.lose()
    assert message.lease_lost


def test_what_remains_is_the_time_to_the_nearest_deadline_and_below_zero_when_it_is_late() -> None:
    lease = Lease.for_test(sqs_message("text"))
    message = _message(held=lease)
    assert message.remaining is None
    lease.finish_by(time.monotonic() + 100)
    assert 90 < (message.remaining or 0) <= 100
    lease.finish_by(time.monotonic() - 5)
    assert -10 < (message.remaining or 0) <= -5


def test_without_an_envelope_the_event_is_the_message() -> None:
    assert _message().event_id == "1"
    assert Message("1", "text", {}, 1, 0.0, "main", event_id="sns").event_id == "sns"


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

"""A message as SQS gives it."""

from pydantic import BaseModel

from baselib.testing import sqs_message
from baselib.worker.message import attributes_of


class Welcome(BaseModel):
    name: str


def test_a_model_becomes_the_body_and_words_become_attributes() -> None:
    raw = sqs_message(Welcome(name="Ana"), receive_count=4, colour="blue")
    assert Welcome.model_validate_json(raw["Body"]) == Welcome(name="Ana")
    assert raw["Attributes"]["ApproximateReceiveCount"] == "4"
    assert int(raw["Attributes"]["SentTimestamp"]) > 0
    assert attributes_of(raw) == {"colour": "blue"}


def test_text_is_the_body_and_each_message_is_another() -> None:
    first, second = sqs_message("text"), sqs_message("text")
    assert first["Body"] == "text"
    assert first["MessageId"] != second["MessageId"]
    assert first["ReceiptHandle"] != second["ReceiptHandle"]

"""Messages are taken out of the envelopes of SNS and EventBridge; what is in no such envelope is rejected."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from baselib.testing import EmbeddedAws
from baselib.worker.envelopes import EVENTBRIDGE, SNS, EnvelopeError, Opened, opened
from baselib.worker.message import Reject

# https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
NOTIFICATION: dict[str, Any] = {
    "Type": "Notification",
    "MessageId": "63a3f6b6-d533-4a47-aef9-fcf5cf758c76",
    "TopicArn": "arn:aws:sns:us-west-2:123456789012:MyTopic",
    "Subject": "Testing publish to subscribed queues",
    "Message": "Hello world! ✓",
    "Timestamp": "2012-03-29T05:12:16.901Z",
    "SignatureVersion": "1",
    "Signature": "EXAMPLEnTrFPa3...",
    "MessageAttributes": {
        "X-Request-Id": {"Type": "String", "Value": "from-the-publisher"},
        "count": {"Type": "Number", "Value": "7"},
        "list": {"Type": "String.Array", "Value": '["a"]'},
        "bytes": {"Type": "Binary", "Value": "AAEC"},
        "TopicArn": {"Type": "String", "Value": "forged"},
    },
}
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "12345678-1234-1234-1234-111122223333",
    "detail-type": "LessonFinished",
    "source": "duolingo.lessons",
    "account": "123456789012",
    "time": "2026-11-23T10:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:s3:::lessons"],
    "detail": {"lesson": "es/1 ✓", "score": 0.1, "big": 123456789012345678901234567890},
}


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


def test_without_an_envelope_a_message_is_what_it_is() -> None:
    assert opened("anything", {"a": "b"}, []) == Opened("anything", {"a": "b"}, None, None)


def test_a_notification_of_sns_is_opened() -> None:
    assert opened(json.dumps(NOTIFICATION), {"own": "sqs"}, [SNS]) == Opened(
        "Hello world! ✓",
        {
            "own": "sqs",
            "X-Request-Id": "from-the-publisher",
            "count": "7",
            "list": '["a"]',
            "MessageId": NOTIFICATION["MessageId"],
            "TopicArn": NOTIFICATION["TopicArn"],
            "Timestamp": NOTIFICATION["Timestamp"],
            "Subject": NOTIFICATION["Subject"],
        },
        NOTIFICATION["MessageId"],
        1332997936.901,
    )


@pytest.mark.parametrize("name", ["Subject", "MessageAttributes"])
def test_what_sns_leaves_out_may_be_missing_or_null(name: str) -> None:
    for fields in (_without(NOTIFICATION, name), {**NOTIFICATION, name: None}):
        assert opened(json.dumps(fields), {}, [SNS]).body == "Hello world! ✓"


def test_an_event_of_eventbridge_is_opened() -> None:
    found = opened(json.dumps(EVENT), {"own": "sqs"}, [EVENTBRIDGE])
    assert json.loads(found.body) == EVENT["detail"]
    assert "✓" in found.body
    assert found.attributes == {
        "own": "sqs",
        **{name: EVENT[name] for name in ("version", "id", "detail-type", "source", "account", "time", "region")},
        "resources": '["arn:aws:s3:::lessons"]',
    }
    assert (found.id, found.sent) == (EVENT["id"], 1795428000.0)


def test_an_event_that_came_through_a_topic_is_opened_twice() -> None:
    body = json.dumps({**NOTIFICATION, "Message": json.dumps(EVENT)})
    found = opened(body, {}, [SNS, EVENTBRIDGE])
    assert json.loads(found.body) == EVENT["detail"]
    assert (found.id, found.attributes["MessageId"]) == (EVENT["id"], NOTIFICATION["MessageId"])
    assert found.attributes["X-Request-Id"] == "from-the-publisher"


def test_what_the_embedded_sns_sends_is_such_a_notification(embedded_aws: EmbeddedAws, queue_url: str) -> None:
    sns, sqs = embedded_aws.client("sns"), embedded_aws.client("sqs")
    topic = sns.create_topic(Name="lessons")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    attributes = {"kind": {"DataType": "String", "StringValue": "lesson"}}
    published = sns.publish(TopicArn=topic, Message="hola", MessageAttributes=attributes)
    (raw,) = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1)["Messages"]
    found = opened(raw["Body"], {}, [SNS])
    assert (found.body, found.attributes["kind"], found.id) == ("hola", "lesson", published["MessageId"])


WRONG: list[tuple[Any, object, str]] = [
    (SNS, "secret", "no envelope of SNS: the body is not JSON"),
    (SNS, '{"Type": NaN}', "the body is not JSON"),
    (SNS, "[" * 100_000, "the body is not JSON"),
    (SNS, ["secret"], "the body is JSON, and not an object"),
    (SNS, {**NOTIFICATION, "Type": "SubscriptionConfirmation"}, "Type is not Notification"),
    *[
        (SNS, _without(NOTIFICATION, name), f"{name} is missing")
        for name in ("Type", "Message", "MessageId", "Timestamp")
    ],
    *[(SNS, {**NOTIFICATION, name: 1}, f"{name} is not a text") for name in ("Type", "Message", "Subject")],
    (SNS, {**NOTIFICATION, "Message": "secret\ud800"}, "Message holds half a character"),
    (SNS, {**NOTIFICATION, "Timestamp": "secret"}, "Timestamp is not a time"),
    (SNS, {**NOTIFICATION, "MessageAttributes": ["secret"]}, "MessageAttributes is missing or not an object"),
    (SNS, {**NOTIFICATION, "MessageAttributes": {"a": "secret"}}, "one of MessageAttributes is not"),
    (SNS, EVENT, "no envelope of SNS: Type is missing"),
    (EVENTBRIDGE, NOTIFICATION, "no envelope of EventBridge: detail is missing"),
    *[(EVENTBRIDGE, _without(EVENT, name), f"{name} is missing") for name in ("id", "time", "source", "detail-type")],
    (EVENTBRIDGE, {**EVENT, "detail": "secret"}, "detail is missing or not an object"),
    (EVENTBRIDGE, {**EVENT, "detail": {"a": "secret\ud800"}}, "detail holds half a character"),
    (EVENTBRIDGE, json.dumps(EVENT).replace("0.1", "1e999"), "detail cannot be written as JSON again"),
    (EVENTBRIDGE, {**EVENT, "time": "0001-01-01T00:00:00+23:59:59.999999x"}, "time is not a time"),
]


@pytest.mark.parametrize(("envelope", "body", "told"), WRONG)
def test_what_is_wrong_is_named_and_not_quoted(envelope: Any, body: object, told: str) -> None:
    with pytest.raises(EnvelopeError, match=told) as refused:
        opened(body if isinstance(body, str) else json.dumps(body), {}, [envelope])
    assert isinstance(refused.value, Reject)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from([[SNS], [EVENTBRIDGE], [SNS, EVENTBRIDGE], [SNS, SNS]]), st.data())
def test_no_json_raises_anything_else(envelopes: list[Any], data: st.DataObject) -> None:
    whole = NOTIFICATION if envelopes[0] is SNS else EVENT
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(whole)), JSON, max_size=3))
    body = data.draw(st.sampled_from([json.dumps({**whole, **changed}), json.dumps(data.draw(JSON))]))
    with contextlib.suppress(EnvelopeError):
        found = opened(body, {}, envelopes)
        found.body.encode()
        for value in found.attributes.values():
            value.encode()


@given(st.text(st.characters()))
@example("9" * 5_000)
def test_no_text_raises_anything_else(body: str) -> None:
    for envelope in (SNS, EVENTBRIDGE):
        with contextlib.suppress(EnvelopeError):
            opened(body, {}, [envelope])

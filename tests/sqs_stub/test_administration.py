"""Queues: made, listed, described, changed, emptied, deleted."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sqs_stub.client import Counts, Stub

Make = Callable[..., str]


def test_a_queue_is_made_once(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="Made", Attributes={"VisibilityTimeout": "7"}, tags={"a": "1"})["QueueUrl"]
    assert sqs.create_queue(QueueName="Made")["QueueUrl"] == url
    assert sqs.create_queue(QueueName="Made", Attributes={"VisibilityTimeout": "7"})["QueueUrl"] == url
    with pytest.raises(sqs.exceptions.QueueNameExists) as error:
        sqs.create_queue(QueueName="Made", Attributes={"VisibilityTimeout": "8"})
    assert error.value.response["Error"]["Code"] == "QueueAlreadyExists"
    assert sqs.get_queue_url(QueueName="Made")["QueueUrl"] == url
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "1"}
    sqs.tag_queue(QueueUrl=url, Tags={"b": "2"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": "2"}


@pytest.mark.parametrize(
    ("name", "attributes", "code"),
    [
        ("a b", {}, "InvalidParameterValue"),
        ("x" * 81, {}, "InvalidParameterValue"),
        ("a.fifo", {}, "InvalidParameterValue"),
        ("a", {"FifoQueue": "true"}, "InvalidParameterValue"),
        ("a", {"VisibilityTimeout": "43201"}, "InvalidAttributeValue"),
        ("a", {"MaximumMessageSize": "1048577"}, "InvalidAttributeValue"),
        ("a", {"Odd": "1"}, "InvalidAttributeName"),
        ("a", {"ContentBasedDeduplication": "true"}, "InvalidAttributeName"),
        ("a", {"RedrivePolicy": "{}"}, "InvalidAttributeValue"),
        ("a", {"RedrivePolicy": "no json"}, "InvalidAttributeValue"),
    ],
)
def test_what_queue_sqs_does_not_make(sqs: Any, name: str, attributes: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as error:
        sqs.create_queue(QueueName=name, Attributes=attributes)
    assert error.value.response["Error"]["Code"] == code
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=name) or name == "a"


def test_a_queue_that_is_not_there(sqs: Any, stub: Stub) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: sqs.get_queue_url(QueueName="absent"),
        lambda: sqs.receive_message(QueueUrl=f"{stub.url}/000000000000/absent"),
        lambda: sqs.send_message(QueueUrl=f"{stub.url}/000000000000/absent", MessageBody="x"),
    ]
    for call in calls:
        with pytest.raises(sqs.exceptions.QueueDoesNotExist) as error:
            call()
        assert error.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
        assert error.value.response["Error"]["Type"] == "Sender"


def test_a_queue_is_known_by_any_host_name(sqs: Any, stub: Stub, queue: str) -> None:
    sqs.send_message(QueueUrl=queue.replace("127.0.0.1", "localhost"), MessageBody="x")
    assert stub.counts(queue) == Counts(1, 0, 0)


def test_queues_are_listed_in_pages(sqs: Any, stub: Stub) -> None:
    urls = [stub.make_queue(f"listed-{number}") for number in range(5)]
    assert sqs.list_queues(QueueNamePrefix="listed-")["QueueUrls"] == urls
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix="listed-", PaginationConfig={"PageSize": 2})
    assert [page["QueueUrls"] for page in pages] == [urls[:2], urls[2:4], urls[4:]]


def test_attributes_are_as_sqs_has_them(sqs: Any, stub: Stub, make: Make) -> None:
    policy = {"deadLetterTargetArn": stub.arn("dead"), "maxReceiveCount": "4"}
    queue = make(VisibilityTimeout="7", RedrivePolicy=policy)
    stub.fill(queue, 3)
    stub.fill(queue, 1, delay=60)
    sqs.receive_message(QueueUrl=queue)

    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]

    assert attributes["QueueArn"] == stub.arn(queue)
    assert attributes["VisibilityTimeout"] == "7"
    assert attributes["MessageRetentionPeriod"] == "345600"
    assert attributes["MaximumMessageSize"] == "1048576"
    assert json.loads(attributes["RedrivePolicy"]) == policy
    assert attributes["ApproximateNumberOfMessages"] == "2"
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "1"
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"
    assert "FifoQueue" not in attributes
    some = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    assert some == {"QueueArn": stub.arn(queue)}
    with pytest.raises(sqs.exceptions.InvalidAttributeName):
        sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Odd"])


def test_attributes_change_together_or_not_at_all(sqs: Any, queue: str) -> None:
    with pytest.raises(sqs.exceptions.InvalidAttributeValue):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "5", "VisibilityTimeout": "-1"})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "9"})
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert (attributes["DelaySeconds"], attributes["VisibilityTimeout"]) == ("0", "9")


def test_a_purge_takes_everything_and_is_allowed_once_a_minute(sqs: Any, stub: Stub, queue: str) -> None:
    stub.fill(queue, 3)
    stub.fill(queue, 1, delay=60)
    (held,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    sqs.purge_queue(QueueUrl=queue)
    assert stub.counts(queue) == Counts(0, 0, 0)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=held["ReceiptHandle"])
    with pytest.raises(sqs.exceptions.PurgeQueueInProgress):
        sqs.purge_queue(QueueUrl=queue)
    stub.advance(61)
    sqs.purge_queue(QueueUrl=queue)


def test_a_deleted_queue_is_gone_and_its_name_rests_for_a_minute(sqs: Any, stub: Stub, queue: str) -> None:
    name = queue.rpartition("/")[2]
    sqs.delete_queue(QueueUrl=queue)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.send_message(QueueUrl=queue, MessageBody="x")
    with pytest.raises(sqs.exceptions.QueueDeletedRecently):
        sqs.create_queue(QueueName=name)
    stub.advance(61)
    sqs.create_queue(QueueName=name)
    assert stub.counts(queue) == Counts(0, 0, 0)


def test_an_action_that_is_not_there(sqs: Any, queue: str) -> None:
    with pytest.raises(ClientError, match="does not have this action"):
        sqs.add_permission(QueueUrl=queue, Label="a", AWSAccountIds=["1"], Actions=["SendMessage"])

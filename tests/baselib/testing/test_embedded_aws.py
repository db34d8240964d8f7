"""The AWS of a test."""

import json
import re
import socket
from pathlib import Path
from typing import Final

import pytest

from baselib.contract import ConfigurationError, ServiceName
from baselib.testing import EmbeddedAws

MODULE: Final = Path(__file__).parents[3] / "terraform" / "modules" / "ecs_worker_service"


def test_a_queue_gives_up_into_its_dead_letters(embedded_aws_server: EmbeddedAws) -> None:
    url = embedded_aws_server.make_queue("redriven")
    sqs = embedded_aws_server.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    policy = json.loads(attributes["RedrivePolicy"])
    assert policy["deadLetterTargetArn"].endswith(":redriven_dead_letter")
    assert int(policy["maxReceiveCount"]) == 5
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(7):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
    (message,) = sqs.receive_message(QueueUrl=f"{url}_dead_letter", WaitTimeSeconds=1)["Messages"]
    assert message["Body"] == "poison"


def test_a_queue_is_as_terraform_makes_it(embedded_aws_server: EmbeddedAws) -> None:
    service = ServiceName("duolingo", "mailer")
    url = embedded_aws_server.make_queue(service.resource("queue", environment="local"))
    sqs = embedded_aws_server.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    policy = json.loads(attributes["RedrivePolicy"])
    dead_letters = service.resource("dead_letter_queue", environment="local")
    assert policy["deadLetterTargetArn"].rpartition(":")[2] == dead_letters
    variables = (MODULE / "variables.tf").read_text(encoding="utf-8")
    found = re.search(r'variable "max_receives" \{[^}]*?default += (\d+)', variables)
    assert found is not None
    assert int(policy["maxReceiveCount"]) == int(found[1])


def test_a_free_port_is_picked_and_told() -> None:
    with EmbeddedAws() as first, EmbeddedAws() as second:
        assert first.url != second.url
        assert first.url.startswith("http://127.0.0.1:")
        assert first.environment["AWS_ENDPOINT_URL"] == first.url
        assert first.environment["AWS_REGION"] == first.client("sqs").meta.region_name
        assert first.client("sqs").list_queues().get("QueueUrls", []) is not None


def test_a_stopped_aws_frees_its_port() -> None:
    with EmbeddedAws() as embedded:
        port = int(embedded.url.rpartition(":")[2])
    with EmbeddedAws(port=port) as again:
        assert again.url.endswith(f":{port}")


def test_a_taken_port_is_an_error_that_names_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"port {port} for the embedded AWS") as caught:
            EmbeddedAws(port=port)
    assert caught.value.code == 78


def test_the_url_leads_to_the_address_it_listens_on() -> None:
    with EmbeddedAws("127.0.0.2") as embedded:
        assert embedded.make_queue("elsewhere")

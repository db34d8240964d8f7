"""A queue, applied, and used."""

from collections.abc import Callable

import pytest

from tests.terraform.applied.conftest import World

pytestmark = pytest.mark.e2e

CONFIGURATION = """
    module "names" {
      source = "../../modules/names"

      product     = "duolingo"
      service     = "mailer"
      environment = "prod"
      owner       = "Learning Team"
    }

    variable "max_receives" {
      type = number
    }

    module "queue" {
      source = "../../modules/queue"

      identity     = module.names
      place        = { partition = "aws", region = "us-east-1", account_id = "123456789012" }
      name         = "imports"
      max_receives = var.max_receives
    }

    output "queue_url" {
      value = module.queue.queue.url
    }

    output "dead_letter_queue_url" {
      value = module.queue.dead_letter_queue.url
    }
"""


@pytest.fixture(scope="module")
def world(applied: Callable[..., World]) -> World:
    return applied(CONFIGURATION, {"max_receives": 2})


def test_settled(world: World) -> None:
    world.assert_settled()


def test_a_message_that_always_fails_ends_among_the_dead_letters(world: World) -> None:
    sqs = world.client("sqs")
    url, dead = world.outputs["queue_url"], world.outputs["dead_letter_queue_url"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(3):
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0).get("Messages", []):
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    (message,) = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=0)["Messages"]
    assert message["Body"] == "poison"


# Last, because the others read what was applied first.
def test_more_receives_change_the_queue_in_place(world: World) -> None:
    assert world.change({"max_receives": 7}) == {"module.queue.aws_sqs_queue.this": ["update"]}
    world.assert_settled()
    world.destroy()

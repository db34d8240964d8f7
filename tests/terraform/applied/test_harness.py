"""What the other tests beside this one rely on: drift is seen, nothing leaves the machine, and waits are short."""

import os
import time
from collections.abc import Callable

import pytest

from tests.terraform.applied.conftest import World
from tests.terraform.applied.provider import Provider

pytestmark = pytest.mark.e2e

QUEUE = """
variable "seconds" {
  type    = number
  default = 30
}

resource "aws_sqs_queue" "this" {
  name                       = "queue"
  visibility_timeout_seconds = var.seconds
}

output "url" {
  value = aws_sqs_queue.this.url
}
"""
ELSEWHERE = """
provider "aws" {
  endpoints {
    ssm = "https://ssm.us-east-1.amazonaws.com"
  }
}

data "aws_ssm_parameter" "this" {
  name = "any"
}
"""


def test_a_world_is_changed_watched_and_destroyed(applied: Callable[..., World], provider: Provider | None) -> None:
    started = time.monotonic()
    world = applied(QUEUE)
    if provider and provider.shortened:
        assert time.monotonic() - started < 20, "The provider waits for 25 s after the creation alone."
    world.assert_settled()
    assert world.addresses() == ["aws_sqs_queue.this"]

    assert world.change({"seconds": 60}) == {"aws_sqs_queue.this": ["update"]}
    world.assert_settled()
    assert world.state()["aws_sqs_queue.this"]["visibility_timeout_seconds"] == 60

    sqs, url = world.client("sqs"), world.outputs["url"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    with pytest.raises(AssertionError, match="The second plan is not empty"):
        world.assert_settled()
    assert world.plan() == {"aws_sqs_queue.this": ["update"]}

    world.destroy()
    assert "QueueUrls" not in sqs.list_queues()


def test_a_call_for_elsewhere_fails_at_once(applied: Callable[..., World]) -> None:
    started = time.monotonic()
    with pytest.raises(AssertionError, match=r"127\.0\.0\.1:1: connect: connection refused"):
        applied(ELSEWHERE)
    assert time.monotonic() - started < 30


def test_what_the_machine_is_logged_in_to_is_not_used(enclosed: dict[str, str]) -> None:
    given = {name: value for name, value in enclosed.items() if name.startswith("AWS_")}
    assert given == {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def test_waits_are_short_where_they_can_be(provider: Provider | None) -> None:
    if provider is None or (os.uname().sysname, os.uname().machine) != ("Linux", "x86_64"):
        pytest.skip("only for a provider that is installed, on Linux and x86-64")
    assert provider.reason == ""

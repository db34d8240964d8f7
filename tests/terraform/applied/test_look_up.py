"""What somebody is told whose service stands on something that nobody has published."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terraform.applied.conftest import Foundation, World

pytestmark = pytest.mark.e2e

CONFIGURATION = """
module "names" {
  source = "../../modules/names"

  product     = "duolingo"
  service     = "api"
  environment = "prod"
  owner       = "Learning Team"
}

module "look_up" {
  source = "../../modules/look_up"

  identity = module.names
  given = {
    vpc_id             = "vpc-1"
    private_subnet_ids = null
    warning_topic_arn  = null
  }
}

output "values" {
  value = module.look_up.values
}
"""


@pytest.fixture(scope="module")
def world(tree: Path, open_world: Callable[..., World], foundation: Foundation) -> World:
    folder = tree / "terraform/examples/look_up"
    folder.mkdir()
    (folder / "main.tf").write_text(CONFIGURATION, encoding="utf-8")
    return open_world(folder)


def _refusal(world: World) -> str:
    return " ".join(world.run("plan", "-input=false", "-no-color", codes=(1,)).stderr.replace("│", "").split())


def test_what_is_published_is_found_before_anything_is_made(world: World, foundation: Foundation) -> None:
    world.run("plan", "-input=false", "-out=changes.tfplan")
    assert world.plan_json()["planned_values"]["outputs"]["values"]["value"] == {
        "vpc_id": "vpc-1",
        "private_subnet_ids": foundation.values["private_subnet_ids"],
        "warning_topic_arn": foundation.values["warning_topic_arn"],
    }


def test_a_missing_parameter_stops_the_plan_and_is_named(world: World, foundation: Foundation) -> None:
    ssm = world.client("ssm")
    ssm.delete_parameter(Name="/platform/prod/warning_topic_arn")
    refusal = _refusal(world)
    foundation.publish({"warning_topic_arn": foundation.values["warning_topic_arn"]})
    assert "/platform/prod/warning_topic_arn" in refusal
    assert "couldn't find resource" in refusal


def test_a_secret_is_not_taken_for_an_address(world: World, foundation: Foundation) -> None:
    ssm = world.client("ssm")
    name = "/platform/prod/warning_topic_arn"
    ssm.delete_parameter(Name=name)
    ssm.put_parameter(Name=name, Value="hidden", Type="SecureString")
    refusal = _refusal(world)
    ssm.delete_parameter(Name=name)
    foundation.publish({"warning_topic_arn": foundation.values["warning_topic_arn"]})
    assert f"SSM parameter {name} (warning_topic_arn) must be of type String or StringList and hold a value." in refusal
    assert "hidden" not in refusal

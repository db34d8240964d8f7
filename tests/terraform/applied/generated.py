"""A generated service, applied as a whole; each kind has a file of its own, to run beside the others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.template.conftest import ANSWERS
from tests.terraform.applied.conftest import ACCOUNT, REGION, World
from tests.terraform.applied.deliverable import check_deliverable
from tools.template import copy

# Where a data store may be destroyed.
ENVIRONMENT = "staging"


DELIVERY = """
module "delivery" {{
  source = "../../modules/delivery"

  product           = "duolingo"
  service           = "{service}"
  owner             = "Learning Team"
  kind              = "{kind}"
  environments      = ["{environment}", "prod"]
  data_stores       = {data_stores}
  github_repository = "duolingo/duolingo-{service}"
}}

output "apply_role_arns" {{
  value = module.delivery.apply_role_arns
}}
"""


def check_life(
    folder: Path,
    platform: Path,
    open_world: Callable[..., World],
    applied: Callable[..., World],
    runner: str,
    **answers: Any,
) -> None:
    """Apply a service in the way that its documentation tells, release another version, and destroy it.

    Args:
        folder: Where to copy it to.
        platform: The template.
        open_world: The fixture.
        applied: The fixture.
        runner: The type of the resource that runs the service's tasks, and so changes with a release.
        answers: What it is copied with.
    """
    copy(folder / "service", {**ANSWERS, "environments": [ENVIRONMENT], **answers}, source=platform)
    world = open_world(folder / "service/terraform", {"environment": ENVIRONMENT, "service_version": "3f2c1ab"})
    bucket = _initialise(world)

    world.apply()
    name = f"duolingo-{answers['service']}"
    states = world.client("s3").list_objects_v2(Bucket=bucket, Prefix=name)["Contents"]
    assert [state["Key"] for state in states] == [f"{name}/{ENVIRONMENT}.tfstate"], "The state alone: no lock is left."
    assert not list(world.folder.glob("*.tfstate*"))
    world.assert_settled()

    changes = world.change({"service_version": "8d04e2f"})
    assert {address.split(".")[-2].split("[")[0] for address in changes} == {"aws_ecs_task_definition", runner}
    world.assert_settled()
    assert _released(world, name) == "8d04e2f"

    text = DELIVERY.format(
        service=answers["service"],
        kind=answers["kind"],
        environment=ENVIRONMENT,
        data_stores=json.dumps(answers.get("data_stores", [])),
    )
    check_deliverable(world, applied(text), ENVIRONMENT, "prod")

    world.destroy()


def _initialise(world: World) -> str:
    """Initialise with the environment's file, and return the bucket that the state is in."""
    settings = world.folder / f"environments/{ENVIRONMENT}.s3.tfbackend"
    settings.write_text(settings.read_text(encoding="utf-8").replace("ACCOUNT_ID", ACCOUNT), encoding="utf-8")
    bucket = f"platform-terraform-{ENVIRONMENT}-{ACCOUNT}-{REGION}"
    s3 = world.client("s3")
    if bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=bucket)
    path = settings.relative_to(world.folder)
    world.run("init", "-input=false", "-no-color", "-reconfigure", f"-backend-config={path}")
    return bucket


def _released(world: World, name: str) -> str:
    """The release of which the newest task definition is."""
    ecs = world.client("ecs")
    containers = ecs.describe_task_definition(taskDefinition=f"{name}-{ENVIRONMENT}")["taskDefinition"][
        "containerDefinitions"
    ]
    (container,) = [container for container in containers if container["name"] == name]
    return str({variable["name"]: variable["value"] for variable in container["environment"]}["SERVICE_RELEASE"])

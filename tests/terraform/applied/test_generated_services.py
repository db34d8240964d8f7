"""A generated service of each kind, applied as a whole in the way that its documentation tells."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.template.conftest import ANSWERS
from tests.terraform.applied.conftest import ACCOUNT, REGION, Emulator, Foundation, World
from tools.template import copy

pytestmark = pytest.mark.e2e

# Where a data store may be destroyed.
ENVIRONMENT = "staging"
SERVICES: dict[str, dict[str, Any]] = {
    "web": {"service": "api", "kind": "web", "exposure": "external"},
    "web with data stores": {
        "service": "shop",
        "kind": "web",
        "data_stores": ["postgres", "redis", "memcached", "elasticsearch"],
    },
    "worker-daemon": {
        "service": "mailer",
        "kind": "worker-daemon",
        "hard_dependencies": ["duolingo-auth"],
        "data_stores": ["redis"],
    },
    "worker-cron": {"service": "report", "kind": "worker-cron", "schedule": "rate(5 minutes)"},
}
# What a release changes: the task definition, and what runs it.
RUNNERS = {
    "web": "aws_ecs_service",
    "web with data stores": "aws_ecs_service",
    "worker-daemon": "aws_ecs_service",
    "worker-cron": "aws_sfn_state_machine",
}


@pytest.fixture(scope="module")
def staging(make_foundation: Callable[[str], Foundation]) -> Foundation:
    return make_foundation(ENVIRONMENT)


@pytest.fixture
def with_state_in_its_bucket(emulator: Emulator) -> Callable[[World], str]:
    """Initialise with the environment's file, and return the bucket that the state is in."""

    def initialised(world: World) -> str:
        settings = world.folder / f"environments/{ENVIRONMENT}.s3.tfbackend"
        settings.write_text(settings.read_text(encoding="utf-8").replace("ACCOUNT_ID", ACCOUNT), encoding="utf-8")
        bucket = f"platform-terraform-{ENVIRONMENT}-{ACCOUNT}-{REGION}"
        s3 = emulator.client("s3")
        if bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket=bucket)
        path = settings.relative_to(world.folder)
        world.run("init", "-input=false", "-no-color", "-reconfigure", f"-backend-config={path}")
        return bucket

    return initialised


@pytest.mark.parametrize("kind", SERVICES)
def test_applied_released_and_destroyed(
    kind: str,
    platform: Path,
    tmp_path: Path,
    staging: Foundation,
    open_world: Callable[..., World],
    with_state_in_its_bucket: Callable[[World], str],
) -> None:
    copy(tmp_path / "service", {**ANSWERS, "environments": [ENVIRONMENT], **SERVICES[kind]}, source=platform)
    world = open_world(
        tmp_path / "service/terraform",
        {"environment": ENVIRONMENT, "service_version": "3f2c1ab", **required(tmp_path, staging)},
    )
    bucket = with_state_in_its_bucket(world)

    world.apply()
    name = f"duolingo-{SERVICES[kind]['service']}"
    states = world.client("s3").list_objects_v2(Bucket=bucket, Prefix=name)["Contents"]
    assert [state["Key"] for state in states] == [f"{name}/{ENVIRONMENT}.tfstate"], "The state alone: no lock is left."
    assert not list(world.folder.glob("*.tfstate*"))
    world.assert_settled()

    changes = world.change({"service_version": "8d04e2f"})
    assert {address.split(".")[-2].split("[")[0] for address in changes} == {"aws_ecs_task_definition", RUNNERS[kind]}
    world.assert_settled()
    assert released(world, name) == "8d04e2f"

    world.destroy()


def required(tmp_path: Path, staging: Foundation) -> dict[str, Any]:
    """The variables without default that depend on the answers."""
    variables = (tmp_path / "service/terraform/variables.tf").read_text(encoding="utf-8")
    known = {"cluster_security_group_ids": [staging.values["cluster_security_group_id"]]}
    return {name: value for name, value in known.items() if f'variable "{name}"' in variables}


def released(world: World, name: str) -> str:
    """The release of which the newest task definition is."""
    ecs = world.client("ecs")
    containers = ecs.describe_task_definition(taskDefinition=f"{name}-{ENVIRONMENT}")["taskDefinition"][
        "containerDefinitions"
    ]
    (container,) = [container for container in containers if container["name"] == name]
    return str({variable["name"]: variable["value"] for variable in container["environment"]}["SERVICE_RELEASE"])

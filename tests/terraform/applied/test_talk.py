"""The calls of the talk, with `service_version` for the word that Terraform has since reserved, and nothing else."""

from collections.abc import Callable

import pytest

from tests.terraform.applied.conftest import Foundation, World

pytestmark = pytest.mark.e2e

WEB_SERVICE = """
module "duolingo-api" {{
  source = "../../modules/ecs_web_service"

  environment     = "prod"
  product         = "duolingo"
  service         = "api"
  owner           = "Max Blaze"
  min_count       = 2
  max_count       = 4
  cpu             = 512
  memory          = 256
  ecs_cluster     = "prod"
  internal        = "true"
  container_port  = 5000
  service_version = "{version}"
}}
"""

AURORA_CLUSTER = """
module "duolingo-api-db" {
  source = "../../modules/aurora_cluster"

  environment           = "prod"
  product               = "duolingo"
  service               = "api"
  subservice            = "db"
  owner                 = "Max Blaze"
  cluster_identifier    = "duolingo-api-db-cluster"
  identifier            = "duolingo-api"
  engine                = "aurora-postgresql"
  name                  = "duolingo"
  instance_class        = "db.r6g.large"
  num_cluster_instances = 2
}
"""


def test_a_service_and_its_database(applied: Callable[..., World], foundation: Foundation) -> None:
    world = applied(WEB_SERVICE.format(version="3f2c1ab") + AURORA_CLUSTER)
    world.assert_settled()

    (service,) = world.client("ecs").describe_services(cluster=foundation.environment, services=["duolingo-api"])[
        "services"
    ]
    assert service["desiredCount"] == 2
    identifiers = [f"duolingo-api-{number}" for number in (1, 2)]
    instances = world.client("rds").describe_db_instances()["DBInstances"]
    assert sorted(instance["DBInstanceIdentifier"] for instance in instances) == identifiers

    main = world.folder / "main.tf"
    main.write_text(WEB_SERVICE.format(version="8d04e2f") + AURORA_CLUSTER, encoding="utf-8")
    assert world.change({}) == {
        "module.duolingo-api.module.service.aws_ecs_service.this": ["update"],
        "module.duolingo-api.module.task.aws_ecs_task_definition.this": ["delete", "create"],
    }
    world.assert_settled()

"""ECS services: what moto forgets of a request, and what ECS fills in."""

from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend, Service
from moto.ecs.responses import EC2ContainerServiceResponse

from tests.terraform.emulator.patching import around

ZONE = {"type": "spread", "field": "attribute:ecs.availability-zone"}


def _deployment_configuration(given: dict[str, Any], scheduling: str) -> dict[str, Any]:
    return {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200 if scheduling == "REPLICA" else 100,
        "minimumHealthyPercent": 100 if scheduling == "REPLICA" else 0,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        **given,
    }


def _can_balance_zones(service: Any) -> bool:
    strategy = service.placement_strategy
    return bool(
        service.scheduling_strategy == "REPLICA"
        and service.deployment_configuration["maximumPercent"] > 100
        and (not strategy or strategy[0] == ZONE)
    )


def _strategy(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"weight": 0, "base": 0, **item} for item in given]


def _choose_capacity(service: Any, strategy: list[dict[str, Any]] | None) -> None:
    if strategy:
        service.capacity_provider_strategy = _strategy(strategy)
        service.launch_type = None
    for deployment in service.deployments:
        deployment["launchType"] = service.launch_type
        deployment["capacityProviderStrategy"] = getattr(service, "capacity_provider_strategy", None)


@around(EC2ContainerServiceBackend, "create_service")
def leave_out_a_network(original: Any, self: Any, *arguments: Any, **named: Any) -> Any:
    """moto answers `networkConfiguration: {}` for a service that has none, which the AWS provider 5.100 crashes on.

    ECS leaves it out: the parameter "isn't supported for other network modes" than `awsvpc`, says
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
    """
    service = original(self, *arguments, **named)
    service.network_configuration = service.network_configuration or None
    return service


@around(EC2ContainerServiceResponse, "create_service")
def create_service(original: Any, self: Any) -> Any:
    """moto forgets how a service is deployed, placed and tagged, and its capacity providers, and answers none of it.

    The defaults are those of https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html and
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html. Zones are balanced
    unless the service cannot be:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html
    """
    answer = original(self)
    service = answer.result["service"]
    service.placement_constraints = self._get_param("placementConstraints") or []
    service.placement_strategy = self._get_param("placementStrategy") or []
    service.deployment_configuration = _deployment_configuration(
        self._get_param("deploymentConfiguration") or {}, service.scheduling_strategy
    )
    service.enable_ecs_managed_tags = self._get_param("enableECSManagedTags") or False
    service.enable_execute_command = self._get_param("enableExecuteCommand") or False
    service.availability_zone_rebalancing = self._get_param("availabilityZoneRebalancing") or (
        "ENABLED" if _can_balance_zones(service) else "DISABLED"
    )
    service.health_check_grace_period_seconds = self._get_param("healthCheckGracePeriodSeconds") or 0
    service.role_arn = service.role_arn or (
        f"arn:aws:iam::{service._account_id}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    )
    if service.launch_type == "FARGATE":
        service.platform_version = service.platform_version or "LATEST"
    _choose_capacity(service, self._get_param("capacityProviderStrategy"))
    return answer


@around(EC2ContainerServiceBackend, "update_service")
def update_service(original: Any, self: Any, properties: dict[str, Any]) -> Service:
    """moto stores a changed service as it was sent, and starts no deployment for a new task definition.

    What an update leaves out keeps its value, and a new task definition starts a deployment:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
    """
    strategy = properties.pop("capacity_provider_strategy", None)
    configuration = properties.pop("deployment_configuration", None) or {}
    deploys = bool(properties.get("task_definition") or strategy)
    if deploys:
        properties["force_new_deployment"] = True
    network = properties.get("network_configuration")
    service: Any = original(self, properties)
    service.deployment_configuration |= configuration
    _choose_capacity(service, strategy)
    for deployment in service.deployments:
        deployment["taskDefinition"] = service.task_definition
        if network:
            deployment["networkConfiguration"] = network
    return service  # type: ignore[no-any-return]

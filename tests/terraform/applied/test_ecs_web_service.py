"""The talk's twelve arguments, applied: what ECS, IAM, the load balancer and automatic scaling are told."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import REGION, Foundation, World

pytestmark = pytest.mark.e2e

ACCOUNT = "123456789012"
TAGS = {
    "environment": "prod",
    "product": "duolingo",
    "service": "api",
    "owner": "Max Blaze",
    "managed-by": "terraform",
}


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied("ecs_web_service", {"service_version": "3f2c1ab"})


def _service(world: World) -> dict[str, Any]:
    (service,) = world.client("ecs").describe_services(cluster="prod", services=["duolingo-api"], include=["TAGS"])[
        "services"
    ]
    return service  # type: ignore[no-any-return]


def _task_definition(world: World) -> dict[str, Any]:
    arn = _service(world)["taskDefinition"]
    answer = world.client("ecs").describe_task_definition(taskDefinition=arn, include=["TAGS"])
    return {**answer["taskDefinition"], "tags": answer["tags"]}


def _container(world: World, name: str) -> dict[str, Any]:
    containers = {container["name"]: container for container in _task_definition(world)["containerDefinitions"]}
    return containers[name]  # type: ignore[no-any-return]


def _environment(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container["environment"]}


def _target_group(world: World) -> dict[str, Any]:
    (balancer,) = _service(world)["loadBalancers"]
    (group,) = world.client("elbv2").describe_target_groups(TargetGroupArns=[balancer["targetGroupArn"]])[
        "TargetGroups"
    ]
    return group  # type: ignore[no-any-return]


def _policies(world: World, role: str) -> dict[str, list[dict[str, Any]]]:
    iam = world.client("iam")
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"] for name in names}


def _plain(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag.get("Key", tag.get("key", "")): tag.get("Value", tag.get("value", "")) for tag in tags}


def test_the_second_plan_is_empty(world: World) -> None:
    world.assert_settled()


def test_the_container_is_what_the_contract_says(world: World) -> None:
    container = _container(world, "duolingo-api")
    assert container["image"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/duolingo-api:3f2c1ab"
    assert (container["memoryReservation"], container["memory"]) == (256, 384)
    assert container["readonlyRootFilesystem"] is True
    assert container["linuxParameters"]["initProcessEnabled"] is True
    assert container["linuxParameters"]["capabilities"]["drop"] == ["ALL"]
    assert container["healthCheck"]["command"] == ["CMD", "baselib", "health"]
    assert container["portMappings"] == [{"containerPort": 5000, "hostPort": 0, "protocol": "tcp"}]
    assert container["stopTimeout"] == 30
    assert _environment(container) == {
        "AWS_REGION": REGION,
        "DRAIN_SECONDS": "5",
        "MEMORY_LIMIT_MIB": "256",
        "PORT": "5000",
        "SERVICE_ENVIRONMENT": "prod",
        "SERVICE_NAME": "api",
        "SERVICE_OWNER": "Max Blaze",
        "SERVICE_PRODUCT": "duolingo",
        "SERVICE_RELEASE": "3f2c1ab",
        "STATSD_DIALECT": "dogstatsd",
        "STATSD_HOST": "metrics",
        "STATSD_PORT": "8125",
        "STOP_SECONDS": "20",
    }


def test_metrics_reach_the_agent_beside_it(world: World) -> None:
    agent, service = _container(world, "metrics"), _container(world, "duolingo-api")
    assert service["links"] == [agent["name"]] == [_environment(service)["STATSD_HOST"]]
    assert agent["essential"] is False
    assert agent["readonlyRootFilesystem"] is True
    assert agent["user"] == "1000:1000"
    assert agent["cpu"] + service["cpu"] == 512
    configuration = json.loads(_environment(agent)["CW_CONFIG_CONTENT"])
    statsd = configuration["metrics"]["metrics_collected"]["statsd"]
    assert statsd["service_address"] == f":{_environment(service)['STATSD_PORT']}"
    assert configuration["metrics"]["namespace"] == "baselib"
    assert statsd["drop_original_metrics"][0].startswith("duolingo.api.")
    streams = {c["name"]: c["logConfiguration"]["options"]["awslogs-stream-prefix"] for c in (agent, service)}
    assert streams == {"metrics": "metrics", "duolingo-api": "duolingo-api"}


def test_the_task_role_may_only_send_metrics(world: World) -> None:
    assert _policies(world, "duolingo-api-prod-task") == {
        "metrics": [
            {
                "Effect": "Allow",
                "Action": ["cloudwatch:PutMetricData"],
                "Resource": ["*"],
                "Condition": {"StringEquals": {"cloudwatch:namespace": "baselib"}},
            }
        ]
    }


def test_the_execution_role_reads_its_own_image_and_writes_its_own_logs(world: World) -> None:
    repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/duolingo-api"
    statements = _policies(world, "duolingo-api-prod-execution")["execution"]
    assert {action: statement["Resource"] for statement in statements for action in statement["Action"]} == {
        "logs:CreateLogStream": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/prod/duolingo-api:*"],
        "logs:PutLogEvents": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/prod/duolingo-api:*"],
        "ecr:GetAuthorizationToken": ["*"],
        "ecr:BatchCheckLayerAvailability": [repository],
        "ecr:BatchGetImage": [repository],
        "ecr:GetDownloadUrlForLayer": [repository],
    }


@pytest.mark.parametrize("role", ["task", "execution"])
def test_only_tasks_of_this_account_take_the_roles(world: World, role: str) -> None:
    document = world.client("iam").get_role(RoleName=f"duolingo-api-prod-{role}")["Role"]["AssumeRolePolicyDocument"]
    (statement,) = document["Statement"]
    assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"}


def test_a_bad_deployment_is_rolled_back(world: World) -> None:
    service = _service(world)
    configuration = service["deploymentConfiguration"]
    assert configuration["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert (configuration["minimumHealthyPercent"], configuration["maximumPercent"]) == (100, 200)
    alarms = configuration["alarms"]
    assert (alarms["enable"], alarms["rollback"]) == (True, True)
    there = world.client("cloudwatch").describe_alarms(AlarmNames=alarms["alarmNames"])["MetricAlarms"]
    assert sorted(alarm["AlarmName"] for alarm in there) == sorted(alarms["alarmNames"])
    assert {"duolingo-api-prod-latency-p99", "duolingo-api-prod-errors-5xx"} <= set(alarms["alarmNames"])
    # It would ring while the first task starts.
    assert "duolingo-api-prod-no-healthy-task" not in alarms["alarmNames"]


def test_tasks_run_on_the_clusters_own_instances_and_spread_over_zones(world: World) -> None:
    service = _service(world)
    (strategy,) = service["capacityProviderStrategy"]
    assert strategy["capacityProvider"] == "on-demand-prod"
    assert [item["type"] for item in service["placementStrategy"]] == ["spread", "binpack"]
    assert service["healthCheckGracePeriodSeconds"] == 60
    assert service["enableExecuteCommand"] is False


def test_the_load_balancer_asks_for_readiness(world: World) -> None:
    group = _target_group(world)
    assert group["TargetType"] == "instance"
    assert group["HealthCheckPath"] == "/healthz/ready"
    assert (group["HealthCheckIntervalSeconds"], group["UnhealthyThresholdCount"]) == (5, 2)
    attributes = world.client("elbv2").describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])
    values = {attribute["Key"]: attribute["Value"] for attribute in attributes["Attributes"]}
    assert values["deregistration_delay.timeout_seconds"] == "30"
    assert values["load_balancing.algorithm.type"] == "least_outstanding_requests"


def test_the_internal_load_balancer_sends_it_its_host_name(world: World, foundation: Foundation) -> None:
    listener = foundation.values["internal_load_balancer_listener_arn"]
    rules = world.client("elbv2").describe_rules(ListenerArn=listener)["Rules"]
    (rule,) = [rule for rule in rules if not rule["IsDefault"]]
    (condition,) = rule["Conditions"]
    assert condition["HostHeaderConfig"]["Values"] == ["duolingo-api.prod.internal"]
    assert rule["Actions"][0]["TargetGroupArn"] == _target_group(world)["TargetGroupArn"]


def test_it_scales_on_cpu_and_on_requests(world: World, foundation: Foundation) -> None:
    scaling = world.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    policies = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    told = {policy["PolicyName"]: policy["TargetTrackingScalingPolicyConfiguration"] for policy in policies}
    assert told["cpu"]["TargetValue"] == 60
    assert told["cpu"]["PredefinedMetricSpecification"]["PredefinedMetricType"] == "ECSServiceAverageCPUUtilization"
    assert told["requests"]["TargetValue"] == 3000
    label = told["requests"]["PredefinedMetricSpecification"]["ResourceLabel"]
    balancer = foundation.values["internal_load_balancer_listener_arn"].split(":listener/")[1].rpartition("/")[0]
    assert label == f"{balancer}/{_target_group(world)['TargetGroupArn'].rpartition(':')[2]}"


def test_logs_are_kept_for_a_month(world: World) -> None:
    (group,) = world.client("logs").describe_log_groups(logGroupNamePrefix="/ecs/prod/duolingo-api")["logGroups"]
    assert group["retentionInDays"] == 30


def test_everything_is_billed(world: World) -> None:
    untagged = {
        address: values["tags"]
        for address, values in world.state().items()
        if ".data." not in address and "tags" in values and values["tags"] != TAGS
    }
    assert untagged == {}
    assert _plain(_service(world)["tags"]) == TAGS
    assert _plain(_task_definition(world)["tags"]) == TAGS
    (described,) = world.client("elbv2").describe_tags(ResourceArns=[_target_group(world)["TargetGroupArn"]])[
        "TagDescriptions"
    ]
    assert _plain(described["Tags"]) == TAGS
    for role in ("task", "execution"):
        assert _plain(world.client("iam").list_role_tags(RoleName=f"duolingo-api-prod-{role}")["Tags"]) == TAGS


def test_automatic_scaling_owns_the_number_of_tasks(world: World) -> None:
    world.client("ecs").update_service(cluster="prod", service="duolingo-api", desiredCount=4)
    world.assert_settled()


def test_a_new_version_is_a_new_revision_of_the_same_service(world: World) -> None:
    before = _service(world)
    changes = world.change({"service_version": "4a5b6c7"})
    assert changes == {
        "module.duolingo-api.module.task.aws_ecs_task_definition.this": ["delete", "create"],
        "module.duolingo-api.module.service.aws_ecs_service.this": ["update"],
    }
    after = _service(world)
    assert after["serviceArn"] == before["serviceArn"]
    assert after["taskDefinition"] != before["taskDefinition"]
    assert _container(world, "duolingo-api")["image"].endswith(":4a5b6c7")
    # A roll-back needs it.
    old = world.client("ecs").describe_task_definition(taskDefinition=before["taskDefinition"])["taskDefinition"]
    assert old["status"] == "ACTIVE"
    world.assert_settled()


def test_somebody_elses_deployment_is_seen(world: World) -> None:
    first = _service(world)["taskDefinition"].rpartition(":")[0] + ":1"
    world.client("ecs").update_service(cluster="prod", service="duolingo-api", taskDefinition=first)
    assert world.plan() == {"module.duolingo-api.module.service.aws_ecs_service.this": ["update"]}


def test_nothing_is_left_of_it(world: World) -> None:
    world.destroy()
    roles = [role["RoleName"] for role in world.client("iam").list_roles()["Roles"]]
    assert [role for role in roles if role.startswith("duolingo-api")] == []
    assert world.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


OWN = """
    provider "aws" {
      region = "us-east-1"
    }

    variable "certificate_arn" {
      type = string
    }

    variable "secret_arn" {
      type = string
    }

    module "this" {
      source = "../../modules/ecs_web_service"

      environment         = "prod"
      product             = "p2"
      service             = "a-service-of-17ch"
      owner               = "Max Blaze"
      min_count           = 1
      max_count           = 1
      cpu                 = 256
      memory              = 256
      ecs_cluster         = "prod"
      internal            = false
      service_version     = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      launch_type         = "FARGATE"
      spot                = true
      load_balancer       = "own"
      host                = "API.example.com"
      path                = "/v1/*"
      certificate_arn     = var.certificate_arn
      deletion_protection = false

      secrets = {
        API_KEY = "${var.secret_arn}:key::"
        TOKEN   = "arn:aws:ssm:us-east-1:123456789012:parameter/token"
      }
    }

    output "load_balancer" {
      value = module.this.load_balancer
    }
"""


@pytest.fixture(scope="module")
def own(applied: Callable[..., World], foundation: Foundation, world: World) -> World:
    secret = world.client("secretsmanager").create_secret(Name="api", SecretString='{"key": "x"}')["ARN"]
    certificate = world.client("acm").request_certificate(DomainName="api.example.com")["CertificateArn"]
    return applied(OWN, {"secret_arn": secret, "certificate_arn": certificate})


def test_on_fargate_with_a_load_balancer_of_its_own_the_second_plan_is_empty(own: World) -> None:
    own.assert_settled()


def test_on_fargate_only_its_own_load_balancer_reaches_the_tasks(own: World) -> None:
    (service,) = own.client("ecs").describe_services(cluster="prod", services=["p2-a-service-of-17ch"])["services"]
    (strategy,) = service["capacityProviderStrategy"]
    assert strategy["capacityProvider"] == "FARGATE_SPOT"
    (group,) = service["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]
    assert service["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = own.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    (rule,) = [rule for rule in rules if not rule["IsEgress"]]
    assert rule["ReferencedGroupInfo"]["GroupId"] == own.outputs["load_balancer"]["security_group_id"]
    assert (rule["FromPort"], rule["ToPort"]) == (5000, 5000)


def test_on_fargate_service_and_agent_share_the_task(own: World) -> None:
    definition = own.client("ecs").describe_task_definition(taskDefinition="p2-a-service-of-17ch-prod")[
        "taskDefinition"
    ]
    assert (definition["cpu"], definition["memory"], definition["networkMode"]) == ("256", "512", "awsvpc")
    service, agent = definition["containerDefinitions"]
    assert (service["memory"], agent["memory"]) == (384, 128)
    assert _environment(service)["STATSD_HOST"] == "127.0.0.1"
    assert "links" not in service or service["links"] == []


def test_the_execution_role_reads_the_secrets_that_it_was_given(own: World) -> None:
    statements = _policies(own, "p2-a-service-of-17ch-prod-execution")["execution"]
    resources = {action: statement["Resource"] for statement in statements for action in statement["Action"]}
    assert resources["secretsmanager:GetSecretValue"] == [own.variables["secret_arn"]]
    assert resources["ssm:GetParameters"] == [f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/token"]


def test_nothing_is_left_of_the_load_balancer_of_its_own(own: World) -> None:
    own.destroy()


MOVED = """
    variable "container_port" {
      type    = number
      default = 5000
    }

    variable "launch_type" {
      type    = string
      default = "FARGATE"
    }

    variable "spot" {
      type    = bool
      default = false
    }

    variable "internal" {
      type    = bool
      default = true
    }

    variable "vpc_id" {
      type = string
    }

    # Not known before it is made, and yet given.
    resource "aws_subnet" "this" {
      vpc_id     = var.vpc_id
      cidr_block = "10.0.200.0/24"
    }

    module "this" {
      source = "../../modules/ecs_web_service"

      environment        = "prod"
      product            = "duolingo"
      service            = "moved"
      owner              = "Max Blaze"
      min_count          = 1
      max_count          = 1
      cpu                = 256
      memory             = 256
      ecs_cluster        = "prod"
      service_version    = "3f2c1ab"
      host               = "moved.example.com"
      container_port     = var.container_port
      internal           = var.internal
      launch_type        = var.launch_type
      spot               = var.spot
      private_subnet_ids = [aws_subnet.this.id]
    }
"""


@pytest.fixture(scope="module")
def moved(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied(MOVED, {"vpc_id": foundation.values["vpc_id"]})


@pytest.mark.parametrize("variables", [{"spot": True}, {"container_port": 8080}])
def test_it_serves_on_while_it_gets_other_capacity_or_another_port(moved: World, variables: dict[str, Any]) -> None:
    changes = moved.change(variables)
    assert changes["module.this.module.service.aws_ecs_service.this"] == ["update"]
    assert changes.get("module.this.aws_lb_target_group.this", ["update"]) == ["update"]
    moved.assert_settled()


def test_on_instances_it_is_another_service_with_other_targets(moved: World) -> None:
    changes = moved.change({"launch_type": "EC2"})
    assert changes["module.this.module.service.aws_ecs_service.this"] == ["delete", "create"]
    # Not the other way round, because the load balancer still sends requests to the old one.
    assert changes["module.this.aws_lb_target_group.this"] == ["create", "delete"]
    moved.assert_settled()


def test_another_load_balancer_gets_the_same_target_group(moved: World) -> None:
    changes = moved.change({"internal": False})
    # A target group belongs to one load balancer, so the old rule goes first.
    assert changes["module.this.aws_lb_listener_rule.this"] == ["delete", "create"]
    assert "module.this.aws_lb_target_group.this" not in changes
    moved.assert_settled()


def test_nothing_is_left_of_what_moved(moved: World) -> None:
    moved.destroy()

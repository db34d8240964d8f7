"""A VPC: what is in each zone, and what a zone that comes or goes changes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import REGION, World

pytestmark = pytest.mark.e2e

ZONES = [f"{REGION}{letter}" for letter in "abc"]


ONE_GATEWAY = """
variable "availability_zones" {
  type = list(string)
}

module "network" {
  source = "../../modules/network"

  environment        = "dev"
  owner              = "Platform Team"
  availability_zones = var.availability_zones
  single_nat_gateway = true
}
"""


@pytest.fixture(scope="module")
def world(applied: Callable[..., World]) -> World:
    return applied("network", {"availability_zones": ZONES})


def _tags(thing: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in thing["Tags"]}


def _vpc_id(world: World) -> str:
    filters = [{"Name": "tag:Name", "Values": ["platform-network-prod"]}]
    (vpc,) = world.client("ec2").describe_vpcs(Filters=filters)["Vpcs"]
    return str(vpc["VpcId"])


def _subnets(world: World) -> dict[str, dict[str, Any]]:
    filters = [{"Name": "vpc-id", "Values": [_vpc_id(world)]}]
    subnets = world.client("ec2").describe_subnets(Filters=filters)["Subnets"]
    return {_tags(subnet)["Name"]: subnet for subnet in subnets}


def _routes(world: World, subnet: dict[str, Any]) -> list[dict[str, Any]]:
    filters = [{"Name": "association.subnet-id", "Values": [subnet["SubnetId"]]}]
    (table,) = world.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
    return table["Routes"]  # type: ignore[no-any-return]


def test_the_second_plan_is_empty(world: World) -> None:
    world.assert_settled()


def test_private_subnets_leave_through_the_gateway_of_their_own_zone(world: World) -> None:
    subnets = _subnets(world)
    assert sorted(subnets) == sorted(
        f"platform-network-prod-{kind}-{z}" for kind in ("private", "public") for z in ZONES
    )
    gateways = {
        gateway["NatGatewayId"]: gateway["SubnetId"]
        for gateway in world.client("ec2").describe_nat_gateways()["NatGateways"]
        if gateway["State"] == "available"
    }
    for zone in ZONES:
        public = subnets[f"platform-network-prod-public-{zone}"]
        (way_out,) = [r for r in _routes(world, public) if r.get("DestinationCidrBlock") == "0.0.0.0/0"]
        assert way_out["GatewayId"].startswith("igw-")
        assert public["MapPublicIpOnLaunch"] is False

        private = subnets[f"platform-network-prod-private-{zone}"]
        (way_out,) = [r for r in _routes(world, private) if r.get("DestinationCidrBlock") == "0.0.0.0/0"]
        assert gateways[way_out["NatGatewayId"]] == public["SubnetId"]
        assert private["AvailabilityZone"] == zone


def test_the_default_security_group_lets_nothing_through(world: World) -> None:
    filters = [{"Name": "vpc-id", "Values": [_vpc_id(world)]}, {"Name": "group-name", "Values": ["default"]}]
    (group,) = world.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])


def test_s3_and_dynamodb_are_reached_without_a_gateway_that_costs(world: World) -> None:
    filters = [{"Name": "vpc-id", "Values": [_vpc_id(world)]}]
    endpoints = world.client("ec2").describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    assert {endpoint["ServiceName"]: len(endpoint["RouteTableIds"]) for endpoint in endpoints} == {
        f"com.amazonaws.{REGION}.dynamodb": 3,
        f"com.amazonaws.{REGION}.s3": 3,
    }
    assert {endpoint["VpcEndpointType"] for endpoint in endpoints} == {"Gateway"}


def test_flow_logs_may_write_to_their_own_group_and_nowhere_else(world: World) -> None:
    (flow_log,) = world.client("ec2").describe_flow_logs()["FlowLogs"]
    assert flow_log["ResourceId"] == _vpc_id(world)
    assert flow_log["TrafficType"] == "ALL"
    iam = world.client("iam")
    role = iam.get_role(RoleName="platform-network-prod-flow")["Role"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    policy = iam.get_role_policy(RoleName="platform-network-prod-flow", PolicyName="flow-logs")["PolicyDocument"]
    writes = [s for s in policy["Statement"] if "logs:PutLogEvents" in s["Action"]]
    arn = f"arn:aws:logs:{REGION}:123456789012:log-group:/vpc/prod/platform-network"
    assert [statement["Resource"] for statement in writes] == [[arn, f"{arn}:*"]]
    assert "*" not in json.dumps([statement["Action"] for statement in policy["Statement"]])


def test_everything_is_billed_to_the_platform(world: World) -> None:
    billing = {
        "environment": "prod",
        "product": "platform",
        "service": "network",
        "owner": "Platform Team",
        "managed-by": "terraform",
    }
    for subnet in _subnets(world).values():
        assert {key: value for key, value in _tags(subnet).items() if key != "Name"} == billing


def test_a_zone_taken_out_of_the_middle_changes_nothing_of_the_others(world: World) -> None:
    before = _subnets(world)
    actions = world.change({"availability_zones": [ZONES[0], ZONES[2]]})
    assert actions
    assert {a: kinds for a, kinds in actions.items() if ZONES[1] not in a or kinds != ["delete"]} == {}
    kept = {name: subnet["SubnetId"] for name, subnet in before.items() if ZONES[1] not in name}
    assert {name: subnet["SubnetId"] for name, subnet in _subnets(world).items()} == kept
    world.assert_settled()

    # The order of the list means nothing, and the zone would get its old addresses back.
    world.variables["availability_zones"] = [ZONES[2], ZONES[1], ZONES[0]]
    actions = world.plan()
    assert actions
    assert {a: kinds for a, kinds in actions.items() if ZONES[1] not in a or kinds != ["create"]} == {}
    planned = {
        change["address"]: change["change"]["after"]["cidr_block"]
        for change in world.plan_json()["resource_changes"]
        if change["type"] == "aws_subnet" and ZONES[1] in change["address"]
    }
    assert planned == {
        f'module.network.aws_subnet.{kind}["{ZONES[1]}"]': before[f"platform-network-prod-{kind}-{ZONES[1]}"][
            "CidrBlock"
        ]
        for kind in ("private", "public")
    }


def test_a_gateway_goes_only_after_all_routes_have_left_it(applied: Callable[..., World]) -> None:
    shared = applied(ONE_GATEWAY, {"availability_zones": ZONES[:2]})
    shared.variables["availability_zones"] = ZONES[1::-1]
    shared.plan()
    log = shared.run("apply", "-input=false", "-no-color", "changes.tfplan").stdout
    gone = log.index(f'module.network.aws_nat_gateway.this["{ZONES[0]}"]: Destroying')
    for zone in ZONES[:2]:
        assert log.index(f'module.network.aws_route.nat["{zone}"]: Modifications complete') < gone
    shared.assert_settled()
    shared.destroy()


def test_nothing_is_left(world: World) -> None:
    vpc_id = _vpc_id(world)
    world.destroy()
    assert vpc_id not in {vpc["VpcId"] for vpc in world.client("ec2").describe_vpcs()["Vpcs"]}

"""An environment: what it makes, what it publishes, and the talk's service upon it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import REGION, World
from tests.terraform.conftest import REPOSITORY

pytestmark = pytest.mark.e2e

CONTRACT: dict[str, Any] = json.loads((REPOSITORY / "baselib/contract/contract.json").read_text(encoding="utf-8"))
ZONES = [f"{REGION}{letter}" for letter in "abc"]

# The talk's call: its twelve arguments and nothing else, but for `service_version`, whose old name Terraform has
# reserved since.
SERVICE = """
module "duolingo-api" {
  source = "../../modules/ecs_web_service"

  environment     = "staging"
  product         = "duolingo"
  service         = "api"
  owner           = "Learning Team"
  min_count       = 1
  max_count       = 2
  cpu             = 512
  memory          = 512
  ecs_cluster     = "staging"
  internal        = "true"
  container_port  = 5000
  service_version = "a1b2c3d"
}
"""


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], emulator: Any) -> World:
    certificate = emulator.client("acm").request_certificate(DomainName="*.example.com")["CertificateArn"]
    return applied("environment", {"availability_zones": ZONES, "certificate_arn": certificate})


def _published(world: World) -> dict[str, dict[str, Any]]:
    pages = world.client("ssm").get_paginator("get_parameters_by_path").paginate(Path="/platform/staging")
    return {parameter["Name"]: parameter for page in pages for parameter in page["Parameters"]}


def test_the_second_plan_is_empty(world: World) -> None:
    world.assert_settled()


def test_everything_that_a_service_looks_up_is_published(world: World) -> None:
    published = _published(world)
    names = {key: path.replace("{environment}", "staging") for key, path in CONTRACT["look_up"].items()}
    assert set(published) == set(names.values())
    values = {key: published[name]["Value"] for key, name in names.items()}
    assert values == world.outputs["look_up"]
    assert {key for key, name in names.items() if published[name]["Type"] == "StringList"} == {
        "private_subnet_ids",
        "public_subnet_ids",
    }
    assert len(values["private_subnet_ids"].split(",")) == len(values["public_subnet_ids"].split(",")) == 3
    assert values["repositories_url"] == "https://github.com/duolingo"
    (listener,) = world.client("elbv2").describe_listeners(
        ListenerArns=[values["external_load_balancer_listener_arn"]]
    )["Listeners"]
    assert listener["Protocol"] == "HTTPS"


def test_the_load_balancers_reach_the_instances_and_nobody_else_does(world: World) -> None:
    ec2, elb = world.client("ec2"), world.client("elbv2")
    group_id = _published(world)["/platform/staging/cluster_security_group_id"]["Value"]
    (group,) = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    callers = {
        pair["GroupId"]: (permission["FromPort"], permission["ToPort"])
        for permission in group["IpPermissions"]
        for pair in permission["UserIdGroupPairs"]
    }
    assert not [permission["IpRanges"] for permission in group["IpPermissions"] if permission["IpRanges"]]
    balancers = elb.describe_load_balancers()["LoadBalancers"]
    assert {balancer["LoadBalancerName"]: balancer["Scheme"] for balancer in balancers} == {
        "platform-internal-staging": "internal",
        "platform-external-staging": "internet-facing",
    }
    assert callers == {balancer["SecurityGroups"][0]: (32768, 65535) for balancer in balancers}


def test_services_have_host_names_inside_the_vpc(world: World) -> None:
    route53 = world.client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    assert (zone["Name"], zone["Config"]["PrivateZone"]) == ("staging.internal.", True)
    records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    (record,) = [record for record in records if record["Type"] == "A"]
    balancers = world.client("elbv2").describe_load_balancers(Names=["platform-internal-staging"])["LoadBalancers"]
    assert record["Name"].replace("\\052", "*") == "*.staging.internal."
    assert record["AliasTarget"]["DNSName"].rstrip(".") == balancers[0]["DNSName"]


def test_search_domains_of_this_account_may_write_their_logs(world: World) -> None:
    (policy,) = world.client("logs").describe_resource_policies()["resourcePolicies"]
    (statement,) = json.loads(policy["policyDocument"])["Statement"]
    assert statement["Principal"] == {"Service": "es.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert ":log-group:/opensearch/staging/" in statement["Resource"]


def test_a_zone_comes_and_goes_by_one_list(world: World) -> None:
    private = "/platform/staging/private_subnet_ids"
    before = _published(world)[private]["Value"].split(",")
    # Of what spans the zones, nothing is replaced.
    spanning = {"autoscaling_group": ["update"], "lb": ["update"], "ssm_parameter": ["update"]}
    steps: list[tuple[dict[str, list[str]], set[tuple[str, ...]], dict[str, list[str]]]] = [
        # While it is left, it keeps its subnets and its way out, for what is still running there.
        ({"availability_zones": [ZONES[0], ZONES[2]], "leaving_zones": [ZONES[1]]}, set(), spanning),
        ({"leaving_zones": []}, {("delete",)}, {}),
        ({"availability_zones": ZONES}, {("create",)}, spanning),
        ({"availability_zones": [ZONES[0], ZONES[2]]}, {("delete",)}, spanning),
        ({"availability_zones": ZONES}, {("create",)}, spanning),
    ]
    for variables, of_the_zone, elsewhere in steps:
        actions = world.change(variables)
        own = {address: kinds for address, kinds in actions.items() if ZONES[1] in address}
        assert set(map(tuple, own.values())) == of_the_zone
        assert {
            address.rpartition(".aws_")[2].partition(".")[0]: kinds
            for address, kinds in actions.items()
            if address not in own
        } == elsewhere
        # AWS keeps the groups' types where an update says nothing of them; moto forgets them.
        world.apply()
    after = _published(world)[private]["Value"].split(",")
    assert (len(after), after[0], after[2]) == (3, before[0], before[2])


def test_the_talks_service_applies(world: World, applied: Callable[..., World]) -> None:
    service = applied(SERVICE)
    service.assert_settled()
    (found,) = service.client("ecs").describe_services(cluster="staging", services=["duolingo-api"])["services"]
    assert [strategy["capacityProvider"] for strategy in found["capacityProviderStrategy"]] == ["on-demand-staging"]
    service.destroy()


def test_nothing_is_left(world: World) -> None:
    world.destroy()
    assert world.client("ssm").get_parameters_by_path(Path="/platform/staging")["Parameters"] == []

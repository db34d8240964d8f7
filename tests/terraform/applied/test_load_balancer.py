"""A load balancer: how it is reached, what it answers, and that it is not deleted by mistake."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import Emulator, Foundation, World

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation, emulator: Emulator) -> World:
    certificate = emulator.client("acm").request_certificate(DomainName="api.example.com")["CertificateArn"]
    return applied(
        "load_balancer",
        {
            "vpc_id": foundation.values["vpc_id"],
            "subnet_ids": foundation.values["public_subnet_ids"].split(","),
            "certificate_arn": certificate,
        },
    )


def _load_balancer(world: World) -> dict[str, Any]:
    (found,) = world.client("elbv2").describe_load_balancers(Names=["platform-external-prod"])["LoadBalancers"]
    return found  # type: ignore[no-any-return]


def _attributes(world: World) -> dict[str, str]:
    arn = _load_balancer(world)["LoadBalancerArn"]
    answer = world.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)
    return {attribute["Key"]: attribute["Value"] for attribute in answer["Attributes"]}


def _listeners(world: World) -> dict[int, dict[str, Any]]:
    arn = _load_balancer(world)["LoadBalancerArn"]
    return {
        listener["Port"]: listener
        for listener in world.client("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"]
    }


def test_the_second_plan_is_empty(world: World) -> None:
    world.assert_settled()


def test_it_is_on_the_internet_and_careful_with_what_comes_from_there(world: World) -> None:
    assert _load_balancer(world)["Scheme"] == "internet-facing"
    attributes = _attributes(world)
    assert attributes["idle_timeout.timeout_seconds"] == "60"
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert attributes["deletion_protection.enabled"] == "true"


def test_https_answers_and_http_says_where_to_go(world: World) -> None:
    listeners = _listeners(world)
    assert sorted(listeners) == [80, 443]
    assert listeners[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    assert listeners[443]["Certificates"] == [{"CertificateArn": world.variables["certificate_arn"]}]
    (answer,) = listeners[443]["DefaultActions"]
    assert (answer["Type"], answer["FixedResponseConfig"]["StatusCode"]) == ("fixed-response", "404")
    (redirect,) = listeners[80]["DefaultActions"]
    assert redirect["RedirectConfig"]["Protocol"] == "HTTPS"
    assert world.outputs["listener_arn"] == listeners[443]["ListenerArn"]


def test_everybody_reaches_two_ports_and_it_reaches_the_vpc(world: World) -> None:
    (group,) = _load_balancer(world)["SecurityGroups"]
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = world.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    assert sorted((rule["IsEgress"], rule["CidrIpv4"], rule["FromPort"], rule["ToPort"]) for rule in rules) == [
        (False, "0.0.0.0/0", 80, 80),
        (False, "0.0.0.0/0", 443, 443),
        (True, "10.0.0.0/16", 1024, 65535),
    ]


def test_everything_is_billed(world: World) -> None:
    tags = {
        "environment": "prod",
        "product": "platform",
        "service": "external",
        "owner": "Platform Team",
        "managed-by": "terraform",
    }
    arns = [_load_balancer(world)["LoadBalancerArn"], *(item["ListenerArn"] for item in _listeners(world).values())]
    for found in world.client("elbv2").describe_tags(ResourceArns=arns)["TagDescriptions"]:
        assert {tag["Key"]: tag["Value"] for tag in found["Tags"]} == tags, found["ResourceArn"]
    (group,) = _load_balancer(world)["SecurityGroups"]
    (described,) = world.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert {tag["Key"]: tag["Value"] for tag in described["Tags"]} == tags


def test_it_is_unprotected_before_it_is_deleted(world: World) -> None:
    address = "module.load_balancer.aws_lb.this"
    assert world.change({"deletion_protection": False}) == {address: ["update"]}
    assert _attributes(world)["deletion_protection.enabled"] == "false"
    world.assert_settled()
    world.destroy()
    names = [found["LoadBalancerName"] for found in world.client("elbv2").describe_load_balancers()["LoadBalancers"]]
    assert "platform-external-prod" not in names

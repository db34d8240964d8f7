"""An ECS cluster on instances: where they are, what they may do, and what a zone more or less changes."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import REGION, Foundation, World

pytestmark = pytest.mark.e2e

ZONES = [f"{REGION}{letter}" for letter in "abc"]
GROUPS = ["on-demand-jobs", "spot-jobs"]
ECS = f"arn:aws:ecs:{REGION}:123456789012"


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied("ecs_cluster", {"availability_zones": ZONES})


def _groups(world: World) -> dict[str, dict[str, Any]]:
    answer = world.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=GROUPS)
    return {group["AutoScalingGroupName"]: group for group in answer["AutoScalingGroups"]}


def _template(world: World) -> dict[str, Any]:
    versions = world.client("ec2").describe_launch_template_versions(
        LaunchTemplateName="instances/jobs", Versions=["$Latest"]
    )
    (version,) = versions["LaunchTemplateVersions"]
    return version["LaunchTemplateData"]  # type: ignore[no-any-return]


def test_the_second_plan_is_empty(world: World) -> None:
    world.assert_settled()


def test_instances_are_spread_over_the_zones_on_demand_first_and_spot_above(world: World) -> None:
    groups = _groups(world)
    assert {name: (g["MinSize"], g["MaxSize"]) for name, g in groups.items()} == {
        "on-demand-jobs": (4, 10),
        "spot-jobs": (0, 40),
    }
    for name, group in groups.items():
        assert len(group["VPCZoneIdentifier"].split(",")) == 3
        policy = group["MixedInstancesPolicy"]
        types = [override["InstanceType"] for override in policy["LaunchTemplate"]["Overrides"]]
        assert types == ["m6i.xlarge", "m6i.2xlarge", "m6a.xlarge", "m5.xlarge"]
        distribution = policy["InstancesDistribution"]
        assert distribution["OnDemandPercentageAboveBaseCapacity"] == (100 if name.startswith("on-demand") else 0)
    zones = {instance["AvailabilityZone"] for instance in groups["on-demand-jobs"]["Instances"]}
    assert len(groups["on-demand-jobs"]["Instances"]) == 4
    assert zones <= set(ZONES)


def test_capacity_providers_keep_headroom_and_drain(world: World) -> None:
    ecs = world.client("ecs")
    (cluster,) = ecs.describe_clusters(clusters=["jobs"], include=["SETTINGS", "TAGS"])["clusters"]
    assert sorted(cluster["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT", *GROUPS]
    assert {
        strategy["capacityProvider"]: (strategy.get("base", 0), strategy["weight"])
        for strategy in cluster["defaultCapacityProviderStrategy"]
    } == {"on-demand-jobs": (1, 1), "spot-jobs": (0, 1)}
    assert cluster["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    for provider in ecs.describe_capacity_providers(capacityProviders=GROUPS)["capacityProviders"]:
        group = provider["autoScalingGroupProvider"]
        assert group["managedDraining"] == "ENABLED"
        assert group["managedTerminationProtection"] == "ENABLED"
        assert (group["managedScaling"]["status"], group["managedScaling"]["targetCapacity"]) == ("ENABLED", 90)


def test_a_container_gets_neither_the_instances_role_nor_its_disk_in_the_clear(world: World) -> None:
    template = _template(world)
    assert template["MetadataOptions"]["HttpTokens"] == "required"
    assert template["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    (disk,) = template["BlockDeviceMappings"]
    assert (disk["DeviceName"], disk["Ebs"]["Encrypted"]) == ("/dev/xvda", True)
    script = base64.b64decode(template["UserData"]).decode()
    assert script.startswith("#!/bin/bash\ncat >> /etc/ecs/ecs.config <<'END'\n")
    assert script.endswith("\nEND\n")
    settings = dict(line.split("=", 1) for line in script.splitlines()[2:-1])
    assert settings == {
        "ECS_CLUSTER": "jobs",
        "ECS_ENABLE_SPOT_INSTANCE_DRAINING": "true",
        "ECS_CONTAINER_STOP_TIMEOUT": "90s",
        "ECS_AWSVPC_BLOCK_IMDS": "true",
        "ECS_DISABLE_PRIVILEGED": "true",
        "ECS_RESERVED_MEMORY": "256",
    }


def test_the_instances_role_is_the_agents_and_this_clusters(world: World) -> None:
    iam = world.client("iam")
    assert iam.list_attached_role_policies(RoleName="jobs-instance")["AttachedPolicies"] == []
    assert iam.list_role_policies(RoleName="jobs-instance")["PolicyNames"] == ["ecs"]
    policy = iam.get_role_policy(RoleName="jobs-instance", PolicyName="ecs")["PolicyDocument"]
    resources = {action: s["Resource"] for s in policy["Statement"] for action in s["Action"]}
    assert resources.pop("ecs:DiscoverPollEndpoint") == ["*"]
    assert {action for action, arns in resources.items() if arns == [f"{ECS}:cluster/jobs"]} == {
        "ecs:DeregisterContainerInstance",
        "ecs:RegisterContainerInstance",
        "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange",
        "ecs:SubmitTaskStateChange",
    }
    assert {action for action, arns in resources.items() if arns == [f"{ECS}:container-instance/jobs/*"]} == {
        "ecs:Poll",
        "ecs:StartTelemetrySession",
        "ecs:UpdateContainerInstancesState",
    }
    assert len(resources) == 8
    assert "*" not in json.dumps(list(resources))


def test_nothing_comes_in_from_outside(world: World) -> None:
    filters = [{"Name": "group-name", "Values": ["instances/jobs"]}]
    (group,) = world.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    assert group["IpPermissions"] == []


def test_everything_is_billed_to_the_platform(world: World) -> None:
    billing = {
        "environment": "prod",
        "product": "platform",
        "service": "cluster",
        "owner": "Platform Team",
        "managed-by": "terraform",
    }
    for group in _groups(world).values():
        tags = {tag["Key"]: tag["Value"] for tag in group["Tags"]}
        assert tags == billing | {"Name": "jobs", "AmazonECSManaged": "true"}
        assert all(tag["PropagateAtLaunch"] for tag in group["Tags"])
    kinds = {spec["ResourceType"]: spec["Tags"] for spec in _template(world)["TagSpecifications"]}
    assert sorted(kinds) == ["instance", "network-interface", "volume"]
    for tags in kinds.values():
        assert {tag["Key"]: tag["Value"] for tag in tags} == billing | {"Name": "jobs"}
    (cluster,) = world.client("ecs").describe_clusters(clusters=["jobs"], include=["TAGS"])["clusters"]
    assert {tag["key"]: tag["value"] for tag in cluster["tags"]} == billing


def test_a_zone_less_and_a_new_image_change_only_what_follows_from_them(world: World) -> None:
    group = "module.ecs_cluster.aws_autoscaling_group.this"
    both = {f'{group}["on-demand"]': ["update"], f'{group}["spot"]': ["update"]}
    assert world.change({"availability_zones": [ZONES[2], ZONES[0]]}) == both
    assert {len(g["VPCZoneIdentifier"].split(",")) for g in _groups(world).values()} == {2}

    # A new image is rolled out by a new version of the template.
    actions = world.change({"image_id": "ami-0123456789abcdef0", "availability_zones": ZONES})
    assert actions == both | {"module.ecs_cluster.aws_launch_template.this": ["update"]}
    assert _template(world)["ImageId"] == "ami-0123456789abcdef0"
    for name in GROUPS:
        answer = world.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=name)
        # The instances are all protected, so without this none would ever get the image.
        assert answer["InstanceRefreshes"][0]["Preferences"]["ScaleInProtectedInstances"] == "Refresh"
    world.assert_settled()


def test_nothing_is_left(world: World) -> None:
    world.destroy()
    assert _groups(world) == {}

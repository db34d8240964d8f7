"""The emulator answers as AWS does where nothing was said, and every patch says whose word it takes for that."""

import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.terraform.applied.conftest import ACCOUNT, KEYS, REGION, Emulator, Foundation
from tests.terraform.emulator.__main__ import patch
from tests.terraform.emulator.patching import PATCHES, around, missing, remember

Client = Callable[[str], Any]

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
PAGE = re.compile(r"https://docs\.aws\.amazon\.com/[A-Za-z0-9/_.#-]+")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.close()


@pytest.fixture(scope="module")
def foundation(emulator: Emulator) -> Foundation:
    return Foundation(emulator, "prod")


@pytest.fixture
def client(emulator: Emulator) -> Client:
    return emulator.client


def test_each_patch_cites_the_page_that_it_follows() -> None:
    patch()
    silent = [function.__qualname__ for function in PATCHES if not PAGE.search(inspect.getdoc(function) or "")]
    assert silent == []
    assert len(PATCHES) > 20


def test_each_file_is_named_after_a_service_and_says_of_what_it_speaks() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        if not path.stem.startswith("test_"):
            assert importlib.import_module(f"tests.terraform.emulator.{path.stem}").__doc__, path


class Moto:
    kept = 1

    @property
    def doubled(self) -> int:
        return 2

    def method(self, number: int) -> int:
        return number


def test_a_patch_that_is_no_longer_needed_is_refused() -> None:
    with pytest.raises(AttributeError, match="has method by now"):
        missing(Moto, "method")
    with pytest.raises(AttributeError, match="has kept by now"):
        remember(Moto, kept=2)
    with pytest.raises(AttributeError):
        around(Moto, "gone")


def test_a_patch_is_put_around_a_method_or_a_property() -> None:
    before = list(PATCHES)
    try:
        around(Moto, "method")(lambda original, self, number: original(self, number) + 1)
        around(Moto, "doubled")(lambda original, self: original(self) * 2)
        assert (Moto().method(1), Moto().doubled) == (2, 4)
    finally:
        PATCHES[:] = before


@pytest.fixture
def task_definition(client: Client) -> str:
    answer = client("ecs").register_task_definition(
        family="service", containerDefinitions=[{"name": "service", "image": "service", "memory": 128}]
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def _service(client: Client, name: str, task_definition: str, **settings: Any) -> dict[str, Any]:
    ecs = client("ecs")
    ecs.create_service(
        cluster="prod", serviceName=name, taskDefinition=task_definition, **({"desiredCount": 1} | settings)
    )
    (service,) = ecs.describe_services(cluster="prod", services=[name])["services"]
    return dict(service)


def test_a_service_of_which_nothing_was_said(client: Client, foundation: Foundation, task_definition: str) -> None:
    service = _service(client, "plain", task_definition)
    assert service["deploymentConfiguration"] == {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    assert (service["placementStrategy"], service["placementConstraints"]) == ([], [])
    assert (service["enableECSManagedTags"], service["enableExecuteCommand"]) == (False, False)
    assert service["availabilityZoneRebalancing"] == "ENABLED"
    assert service["healthCheckGracePeriodSeconds"] == 0
    assert "networkConfiguration" not in service
    assert "networkConfiguration" not in service["deployments"][0]


@pytest.mark.parametrize(
    "settings",
    [
        {"deploymentConfiguration": {"maximumPercent": 100}},
        {"placementStrategy": [{"type": "binpack", "field": "memory"}]},
    ],
    ids=["no task above the count", "packed"],
)
def test_zones_are_not_balanced_where_they_cannot_be(
    client: Client, foundation: Foundation, task_definition: str, settings: dict[str, Any]
) -> None:
    name = "-".join(settings)
    assert _service(client, name, task_definition, **settings)["availabilityZoneRebalancing"] == "DISABLED"


def test_a_capacity_provider_takes_the_place_of_the_launch_type(
    client: Client, foundation: Foundation, task_definition: str
) -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    service = _service(client, "spot", task_definition, capacityProviderStrategy=strategy)
    assert "launchType" not in service
    assert service["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]


def test_an_update_keeps_what_it_does_not_name(client: Client, foundation: Foundation, task_definition: str) -> None:
    service = _service(client, "kept", task_definition, deploymentConfiguration={"minimumHealthyPercent": 50})
    first = service["deployments"][0]["id"]
    ecs = client("ecs")
    ecs.update_service(cluster="prod", service="kept", deploymentConfiguration={"maximumPercent": 150})
    (service,) = ecs.describe_services(cluster="prod", services=["kept"])["services"]
    assert service["deploymentConfiguration"]["minimumHealthyPercent"] == 50
    assert service["deploymentConfiguration"]["maximumPercent"] == 150
    assert service["deployments"][0]["id"] == first

    other = task_definition.rsplit(":", 1)[0]
    newer = ecs.register_task_definition(
        family=other.rsplit("/", 1)[1], containerDefinitions=[{"name": "service", "image": "newer", "memory": 128}]
    )["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster="prod", service="kept", taskDefinition=newer)
    (service,) = ecs.describe_services(cluster="prod", services=["kept"])["services"]
    assert service["deployments"][0]["taskDefinition"] == newer
    assert service["deployments"][0]["id"] != first


def test_a_scalable_target_has_its_tags_until_it_goes(
    client: Client, foundation: Foundation, task_definition: str
) -> None:
    _service(client, "scaled", task_definition)
    scaling = client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/prod/scaled",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    arn = scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2, Tags={"owner": "Learning"})[
        "ScalableTargetARN"
    ]
    scaling.tag_resource(ResourceARN=arn, Tags={"environment": "prod"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["owner"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"environment": "prod"}
    scaling.deregister_scalable_target(**target)
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {}


def test_a_queue_keeps_its_policies(client: Client) -> None:
    sqs = client("sqs")
    allowed = {"redrivePermission": "denyAll"}
    denied = {"Effect": "Deny", "Principal": "*", "Action": "sqs:PurgeQueue", "Resource": f"{QUEUE}kept"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    url = sqs.create_queue(QueueName="kept", Attributes={"RedriveAllowPolicy": json.dumps(allowed), "Policy": policy})[
        "QueueUrl"
    ]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["RedriveAllowPolicy"] == '{"redrivePermission":"denyAll"}'
    assert attributes["Policy"] == policy

    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": ""})
    assert "RedriveAllowPolicy" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def test_only_a_serverless_cluster_has_a_scaling_configuration(client: Client) -> None:
    rds = client("rds")
    cluster = rds.create_db_cluster(
        DBClusterIdentifier="plain", Engine="aurora-postgresql", MasterUsername="root", ManageMasterUserPassword=True
    )["DBCluster"]
    assert "ScalingConfigurationInfo" not in cluster


def test_a_replication_group_has_as_many_clusters_as_asked_for(client: Client) -> None:
    elasticache = client("elasticache")
    elasticache.create_replication_group(
        ReplicationGroupId="cache",
        ReplicationGroupDescription="Cache",
        Engine="redis",
        EngineVersion="7.1",
        NumCacheClusters=3,
        TransitEncryptionEnabled=True,
    )
    (group,) = elasticache.describe_replication_groups(ReplicationGroupId="cache")["ReplicationGroups"]
    assert group["MemberClusters"] == ["cache-001", "cache-002", "cache-003"]
    assert group["AutoMinorVersionUpgrade"]
    assert group["TransitEncryptionMode"] == "required"
    (cluster,) = elasticache.describe_cache_clusters(CacheClusterId="cache-002")["CacheClusters"]
    assert cluster["EngineVersion"] == "7.1.0"
    assert cluster["CacheParameterGroup"]["CacheParameterGroupName"] == "default.redis7"

    elasticache.decrease_replica_count(ReplicationGroupId="cache", NewReplicaCount=1, ApplyImmediately=True)
    (group,) = elasticache.describe_replication_groups(ReplicationGroupId="cache")["ReplicationGroups"]
    assert group["MemberClusters"] == ["cache-001", "cache-002"]

    elasticache.delete_replication_group(ReplicationGroupId="cache")
    assert elasticache.describe_cache_clusters()["CacheClusters"] == []


def test_a_domain_has_what_opensearch_fills_in(client: Client, foundation: Foundation) -> None:
    subnet = foundation.values["private_subnet_ids"].split(",")[0]
    domain = client("opensearch").create_domain(
        DomainName="search",
        EBSOptions={"EBSEnabled": True, "VolumeType": "gp3", "VolumeSize": 20},
        DomainEndpointOptions={"EnforceHTTPS": True},
        VPCOptions={"SubnetIds": [subnet]},
    )["DomainStatus"]
    assert (domain["EBSOptions"]["Iops"], domain["EBSOptions"]["Throughput"]) == (3000, 125)
    assert domain["DomainEndpointOptions"]["CustomEndpointEnabled"] is False
    assert domain["VPCOptions"]["VPCId"] == foundation.values["vpc_id"]
    assert domain["OffPeakWindowOptions"]["OffPeakWindow"]["WindowStartTime"] == {"Hours": 22, "Minutes": 0}


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
        ],
    }
)


@pytest.fixture
def receives(emulator: Emulator) -> Iterator[Callable[[dict[str, Any]], dict[str, bool]]]:
    """Which of two queues a role with one statement of policy may receive from, while IAM is enforced."""
    urls = {
        name: emulator.client("sqs").create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})[
            "QueueUrl"
        ]
        for name in ("own", "other")
    }

    def tried(statement: dict[str, Any]) -> dict[str, bool]:
        iam = emulator.client("iam")
        if "tried" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
            iam.create_role(RoleName="tried", AssumeRolePolicyDocument=TRUST)
        document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
        iam.put_role_policy(RoleName="tried", PolicyName="tried", PolicyDocument=document)
        keys = emulator.client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/tried", RoleSessionName="test")[
            "Credentials"
        ]
        sqs = emulator.client(
            "sqs",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        emulator.enforce_iam()
        try:
            return {name: _succeeds(sqs, url) for name, url in urls.items()}
        finally:
            emulator.enforce_iam(enforced=False)

    yield tried
    for url in urls.values():
        emulator.client("sqs").delete_queue(QueueUrl=url)


def _succeeds(sqs: Any, url: str) -> bool:
    try:
        sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)
    except ClientError as error:
        if "AccessDenied" not in str(error):
            raise
        return False
    return True


RECEIVE = "sqs:ReceiveMessage"


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({"Action": RECEIVE, "Resource": f"{QUEUE}own.fifo"}, ["own"]),
        ({"Action": [RECEIVE], "Resource": [f"{QUEUE}other.fifo"]}, ["other"]),
        # As a mistake would have it: the enforcement does see it.
        ({"Action": RECEIVE, "Resource": "*"}, ["own", "other"]),
        ({"Action": RECEIVE, "Resource": f"{QUEUE}o*"}, ["own", "other"]),
        # A dot is a dot.
        ({"Action": RECEIVE, "Resource": f"{QUEUE}own?fifo"}, ["own"]),
        ({"Action": RECEIVE, "Resource": f"{QUEUE}ow.....o"}, []),
        ({"Action": "sqs:receivemessage", "Resource": f"{QUEUE}own.fifo"}, ["own"]),
        ({"Action": "sqs:SendMessage", "Resource": f"{QUEUE}own.fifo"}, []),
        (
            {
                "Action": RECEIVE,
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            [],
        ),
        (
            {
                "Action": RECEIVE,
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "true"}},
            },
            ["own", "other"],
        ),
        (
            {"Action": RECEIVE, "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "learning"}}},
            [],
        ),
    ],
)
def test_enforced_iam_goes_by_action_resource_and_condition(
    receives: Callable[[dict[str, Any]], dict[str, bool]], statement: dict[str, Any], allowed: list[str]
) -> None:
    assert [name for name, succeeds in receives(statement).items() if succeeds] == allowed


def test_the_emulator_ends_with_its_parent() -> None:
    emulator = Emulator()
    emulator.close()
    settings = Config(retries={"total_max_attempts": 1}, connect_timeout=2, proxies={})
    gone = boto3.client("sqs", endpoint_url=emulator.url, region_name=REGION, config=settings, **KEYS)
    with pytest.raises(Exception, match="Could not connect"):
        gone.list_queues()

"""Caches, applied."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import Foundation, World

pytestmark = pytest.mark.e2e

REDIS, MEMCACHED = "duolingo-api-redis-prod", "duolingo-api-cache-prod"


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied("elasticache")


def group_of(world: World) -> dict[str, Any]:
    (group,) = world.client("elasticache").describe_replication_groups(ReplicationGroupId=REDIS)["ReplicationGroups"]
    return group  # type: ignore[no-any-return]


def cluster_of(world: World, name: str) -> dict[str, Any]:
    (cluster,) = world.client("elasticache").describe_cache_clusters(CacheClusterId=name)["CacheClusters"]
    return cluster  # type: ignore[no-any-return]


def parameters_of(world: World, group: str) -> dict[str, str]:
    found = world.client("elasticache").describe_cache_parameters(CacheParameterGroupName=group, Source="user")
    return {parameter["ParameterName"]: parameter["ParameterValue"] for parameter in found["Parameters"]}


def alarms_of(world: World, prefix: str) -> dict[str, dict[str, Any]]:
    found = world.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{prefix}/data-store-")["MetricAlarms"]
    return {alarm["AlarmName"].removeprefix(f"{prefix}/data-store-"): alarm for alarm in found}


def test_settles(world: World) -> None:
    world.assert_settled()


def test_redis_is_safe(world: World) -> None:
    group = group_of(world)
    assert group["AtRestEncryptionEnabled"]
    assert group["TransitEncryptionEnabled"]
    assert (group["MultiAZ"], group["AutomaticFailover"], group["SnapshotRetentionLimit"]) == ("enabled", "enabled", 7)
    assert group["MemberClusters"] == [f"{REDIS}-001", f"{REDIS}-002"]
    logs = {log["LogType"]: log["DestinationDetails"] for log in group["LogDeliveryConfigurations"]}
    assert logs == {
        f"{log}-log": {"CloudWatchLogsDetails": {"LogGroup": f"/elasticache/prod/duolingo-api-redis/{log}"}}
        for log in ("engine", "slow")
    }
    assert parameters_of(world, f"{REDIS}-redis7") == {"maxmemory-policy": "volatile-lru"}


def test_memcached_is_safe(world: World) -> None:
    cluster = cluster_of(world, MEMCACHED)
    assert cluster["TransitEncryptionEnabled"]
    assert (cluster["Engine"], cluster["NumCacheNodes"]) == ("memcached", 2)
    assert cluster["CacheParameterGroup"]["CacheParameterGroupName"] == f"{MEMCACHED}-memcached1-6"


def test_tags(world: World) -> None:
    client = world.client("elasticache")
    for arn, subservice in ((group_of(world)["ARN"], "redis"), (cluster_of(world, MEMCACHED)["ARN"], "cache")):
        found = client.list_tags_for_resource(ResourceName=arn)["TagList"]
        assert {tag["Key"]: tag["Value"] for tag in found} == {
            "environment": "prod",
            "product": "duolingo",
            "service": "api",
            "subservice": subservice,
            "owner": "Learning Team",
            "managed-by": "terraform",
        }


def test_a_service_connects_by_tls(world: World) -> None:
    outputs = world.outputs
    primary = group_of(world)["NodeGroups"][0]["PrimaryEndpoint"]["Address"]
    assert outputs["redis_url"] == f"rediss://{primary}:6379"
    endpoint = cluster_of(world, MEMCACHED)["ConfigurationEndpoint"]["Address"]
    # baselib's client encrypts and asks for the nodes where it sees this ending.
    assert endpoint.endswith(".cache.amazonaws.com")
    assert outputs["memcached_url"] == f"memcached://{endpoint}:11211"


def test_only_the_clusters_instances_connect(world: World, foundation: Foundation) -> None:
    for subservice, port in (("redis", 6379), ("cache", 11211)):
        name = f"duolingo-api-{subservice}-prod/data-store"
        filters = [{"Name": "group-name", "Values": [name]}]
        (group,) = world.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
        (rule,) = group["IpPermissions"]
        assert (rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == (port, port, [])
        assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [
            foundation.values["cluster_security_group_id"]
        ]


def test_alarms_reach_their_topics(world: World, foundation: Foundation) -> None:
    alarms = alarms_of(world, REDIS)
    assert alarms.keys() == {
        "redis-connections-high",
        "redis-cpu-high",
        "redis-evictions",
        "redis-memory-high",
        "redis-no-primary",
        "redis-replication-lag",
    }
    assert alarms["redis-no-primary"]["AlarmActions"] == [foundation.values["emergency_topic_arn"]]
    assert alarms["redis-cpu-high"]["AlarmActions"] == [foundation.values["warning_topic_arn"]]
    watched = [query["MetricStat"]["Metric"] for query in alarms["redis-cpu-high"]["Metrics"] if "MetricStat" in query]
    assert sorted(metric["Dimensions"][0]["Value"] for metric in watched) == [f"{REDIS}-001", f"{REDIS}-002"]

    alarms = alarms_of(world, MEMCACHED)
    assert alarms.keys() == {"memcached-cpu-high", "memcached-down", "memcached-evictions", "memcached-swap"}
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [foundation.values["warning_topic_arn"]]
        assert "/duolingo-api/blob/main/docs/playbook.md#memcached-" in alarm["AlarmDescription"]


def test_changes_and_goes(world: World) -> None:
    changes = world.change({"num_nodes": 3})
    assert {address for address in changes if ".alarms." not in address} == {
        "module.duolingo-api-memcached.aws_elasticache_cluster.this[0]",
        "module.duolingo-api-redis.aws_elasticache_replication_group.this[0]",
    }
    assert {tuple(actions) for actions in changes.values()} == {("update",)}
    world.assert_settled()
    # The third node is watched too.
    queries = alarms_of(world, REDIS)["redis-cpu-high"]["Metrics"]
    assert len([query for query in queries if "MetricStat" in query]) == 3
    world.destroy()

"""Domains of OpenSearch, applied."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.applied.conftest import Foundation, World

pytestmark = pytest.mark.e2e

DOMAIN = "duolingo-api-search-prod"
ARN = f"arn:aws:es:us-east-1:123456789012:domain/{DOMAIN}"
REQUESTS = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPatch", "es:ESHttpPost", "es:ESHttpPut"]
EMERGENCIES = {"opensearch-red", "opensearch-writes-blocked", "opensearch-storage-critical", "opensearch-no-master"}


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    return applied("opensearch")


def domain_of(world: World) -> dict[str, Any]:
    return world.client("opensearch").describe_domain(DomainName=DOMAIN)["DomainStatus"]  # type: ignore[no-any-return]


def test_settles(world: World) -> None:
    world.assert_settled()


def test_is_safe(world: World, foundation: Foundation) -> None:
    domain = domain_of(world)
    assert domain["EncryptionAtRestOptions"]["Enabled"]
    assert domain["NodeToNodeEncryptionOptions"]["Enabled"]
    assert domain["DomainEndpointOptions"]["EnforceHTTPS"]
    assert domain["DomainEndpointOptions"]["TLSSecurityPolicy"] == "Policy-Min-TLS-1-2-PFS-2023-10"
    assert sorted(domain["VPCOptions"]["SubnetIds"]) == sorted(foundation.values["private_subnet_ids"].split(","))
    assert domain["ClusterConfig"]["ZoneAwarenessConfig"] == {"AvailabilityZoneCount": 3}
    assert domain["ClusterConfig"]["DedicatedMasterCount"] == 3
    found = world.client("opensearch").list_tags(ARN=ARN)["TagList"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {
        "environment": "prod",
        "product": "duolingo",
        "service": "api",
        "subservice": "search",
        "owner": "Learning Team",
        "managed-by": "terraform",
    }


def test_only_signed_requests_of_the_account_get_in(world: World) -> None:
    (statement,) = json.loads(domain_of(world)["AccessPolicies"])["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": REQUESTS,
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Resource": f"{ARN}/*",
    }
    (statement,) = json.loads(world.outputs["task_policy_json"])["Statement"]
    assert statement == {"Effect": "Allow", "Action": REQUESTS, "Resource": [f"{ARN}/*"]}


def test_logs_what_is_slow_or_wrong(world: World) -> None:
    options = domain_of(world)["LogPublishingOptions"]
    assert {name: option["CloudWatchLogsLogGroupArn"].split(":log-group:")[1] for name, option in options.items()} == {
        "ES_APPLICATION_LOGS": "/opensearch/prod/duolingo-api-search/application",
        "INDEX_SLOW_LOGS": "/opensearch/prod/duolingo-api-search/index-slow",
        "SEARCH_SLOW_LOGS": "/opensearch/prod/duolingo-api-search/search-slow",
    }


def test_alarms_reach_their_topics(world: World, foundation: Foundation) -> None:
    found = world.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{DOMAIN}/data-store-")["MetricAlarms"]
    alarms = {alarm["AlarmName"].removeprefix(f"{DOMAIN}/data-store-"): alarm for alarm in found}
    assert alarms.keys() == EMERGENCIES | {
        "opensearch-cpu-high",
        "opensearch-errors-5xx",
        "opensearch-memory-pressure",
        "opensearch-nodes-missing",
        "opensearch-snapshot-failure",
        "opensearch-storage-low",
        "opensearch-yellow",
    }
    for name, alarm in alarms.items():
        topic = foundation.values[f"{'emergency' if name in EMERGENCIES else 'warning'}_topic_arn"]
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
        assert f"/duolingo-api/blob/main/docs/playbook.md#{name} " in alarm["AlarmDescription"]
        for query in alarm["Metrics"]:
            dimensions = query.get("MetricStat", {}).get("Metric", {}).get("Dimensions")
            if dimensions:
                assert {dimension["Name"]: dimension["Value"] for dimension in dimensions} == {
                    "ClientId": "123456789012",
                    "DomainName": DOMAIN,
                }
    assert alarms["opensearch-storage-low"]["Threshold"] == 20 * 1024 * 0.25


def test_changes_and_goes(world: World) -> None:
    changes = world.change({"volume_size": 40})
    alarms = "module.duolingo-api-search.module.alarms.module.alarms.aws_cloudwatch_metric_alarm.this"
    assert changes == {
        "module.duolingo-api-search.aws_opensearch_domain.this": ["update"],
        f'{alarms}["opensearch-storage-critical"]': ["update"],
        f'{alarms}["opensearch-storage-low"]': ["update"],
    }
    world.assert_settled()
    assert domain_of(world)["EBSOptions"]["VolumeSize"] == 40
    world.destroy()

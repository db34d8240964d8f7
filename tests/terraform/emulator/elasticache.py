"""Clusters, replication groups and parameter groups of ElastiCache."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.exceptions import ElastiCacheException
from moto.elasticache.models import CacheCluster, CacheSubnetGroup, ElastiCacheBackend, ReplicationGroup
from moto.elasticache.responses import ElastiCacheResponse

from tests.terraform.emulator.patching import around, missing

# What the clusters of a replication group have from it.
SHARED = (
    "engine",
    "engine_version",
    "cache_parameter_group_name",
    "cache_subnet_group_name",
    "security_group_ids",
    "tags",
    "preferred_maintenance_window",
    "port",
    "notification_topic_arn",
    "auto_minor_version_upgrade",
    "snapshot_retention_limit",
    "snapshot_window",
    "auth_token",
    "transit_encryption_enabled",
    "network_type",
    "ip_discovery",
    "log_delivery_configurations",
)
# What a cluster of a replication group is not told.
UNUSED = (
    "num_cache_nodes",
    "az_mode",
    "outpost_mode",
    "preferred_outpost_arn",
    "preferred_availability_zones",
    "cache_security_group_names",
    "preferred_outpost_arns",
    "cache_node_ids_to_remove",
    "cache_node_ids_to_reboot",
)
PORTS = {"redis": 6379, "valkey": 6379, "memcached": 11211}


class CacheParameterGroupNotFoundError(ElastiCacheException):
    code = "CacheParameterGroupNotFound"

    def __init__(self, name: str) -> None:
        super().__init__(f"CacheParameterGroup {name} not found.")


def _default_parameter_group(engine: str, version: str) -> str:
    major, minor = [*version.split("."), "0"][:2]
    family = f"{major}.{minor}" if engine == "memcached" else f"{major}.x" if major == "6" else major
    return f"default.{engine}{family}"


def _full_version(engine: str, version: str | None) -> str:
    version = version or {"redis": "7.1", "valkey": "8.0", "memcached": "1.6.22"}[engine]
    return version if engine == "memcached" or version.count(".") > 1 else f"{version}.0"


@around(CacheCluster, "__init__")
def cache_cluster(original: Any, self: Any, *arguments: Any, **named: Any) -> None:
    """moto answers a cluster without nodes, endpoints, groups and windows, and with the port of Redis for memcached.

    What ElastiCache chooses is in https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheCluster.html
    and https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html: the default
    parameter group of the engine's version, windows, no snapshots, IPv4.
    """
    original(self, *arguments, **named)
    region = named["region_name"]
    self.port = int(named.get("port") or PORTS[self.engine])
    self.engine_version = _full_version(self.engine, self.engine_version)
    self.auto_minor_version_upgrade = self.auto_minor_version_upgrade is not False
    self.transit_encryption_enabled = bool(self.transit_encryption_enabled)
    self.at_rest_encryption_enabled = False
    self.network_type = self.network_type or "ipv4"
    self.ip_discovery = self.ip_discovery or "ipv4"
    self.preferred_maintenance_window = self.preferred_maintenance_window or "sun:05:00-sun:06:00"
    if self.engine != "memcached":
        self.snapshot_window = getattr(self, "snapshot_window", None) or "03:00-04:00"
    if self.notification_topic_arn:
        self.notification_configuration = {"TopicArn": self.notification_topic_arn, "TopicStatus": "active"}
    self.pending_modified_values = {}
    _apply_groups(self, self.cache_parameter_group_name, self.security_group_ids)
    _place(self, f"{self.cache_cluster_id}.emulator.use1.cache.amazonaws.com", region)


def _apply_groups(self: Any, parameters: str | None, security_groups: list[str] | None) -> None:
    if parameters or not hasattr(self, "cache_parameter_group"):
        self.cache_parameter_group = {
            "CacheParameterGroupName": parameters or _default_parameter_group(self.engine, self.engine_version),
            "ParameterApplyStatus": "in-sync",
            "CacheNodeIdsToReboot": [],
        }
    if security_groups is not None:
        self.security_groups = [{"SecurityGroupId": group, "Status": "active"} for group in security_groups]


def _place(self: Any, domain: str, region: str) -> None:
    zones = self.preferred_availability_zones or [self.preferred_availability_zone or f"{region}a"]
    if self.engine == "memcached":
        self.configuration_endpoint = {"Address": f"{self.cache_cluster_id}.cfg.{domain}", "Port": self.port}
        several = self.az_mode == "cross-az" and len(zones) == 1
        zones = [f"{region}a", f"{region}b", f"{region}c"] if several else zones
    self.preferred_availability_zone = "Multiple" if len(set(zones[: self.num_cache_nodes])) > 1 else zones[0]
    self.cache_nodes = [
        {
            "CacheNodeId": f"{number + 1:04}",
            "CacheNodeStatus": "available",
            "CacheNodeCreateTime": self.cache_cluster_create_time,
            "Endpoint": {"Address": f"{self.cache_cluster_id}.{number + 1:04}.{domain}", "Port": self.port},
            "ParameterGroupStatus": "in-sync",
            "CustomerAvailabilityZone": zones[number % len(zones)],
        }
        for number in range(self.num_cache_nodes)
    ]


@around(ElastiCacheBackend, "delete_cache_cluster")
def delete_cache_cluster(original: Any, self: Any, cache_cluster_id: str) -> Any:
    """A deleted cluster stays in moto for ever, as `deleting`; in AWS it is gone after that.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteCacheCluster.html
    """
    original(self, cache_cluster_id)
    return self.cache_clusters.pop(cache_cluster_id)


@missing(ElastiCacheResponse, "modify_cache_cluster")
def modify_cache_cluster(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyCacheCluster.html"""
    (cluster,) = self.elasticache_backend.describe_cache_clusters(self._get_param("CacheClusterId"))
    _modify(self, cluster)
    count = self._get_int_param("NumCacheNodes")
    if count:
        cluster.num_cache_nodes = count
        _place(cluster, f"{cluster.cache_cluster_id}.emulator.use1.cache.amazonaws.com", self.region)
    return ActionResult({"CacheCluster": cluster})


def _modify(self: Any, cluster: Any) -> None:
    version = self._get_param("EngineVersion")
    if version:
        cluster.engine_version = _full_version(cluster.engine, version)
    _apply_groups(cluster, self._get_param("CacheParameterGroupName"), self._get_param("SecurityGroupIds"))
    for name, attribute in (
        ("CacheNodeType", "cache_node_type"),
        ("PreferredMaintenanceWindow", "preferred_maintenance_window"),
        ("SnapshotWindow", "snapshot_window"),
    ):
        value = self._get_param(name)
        if value:
            setattr(cluster, attribute, value)
    retention = self._get_int_param("SnapshotRetentionLimit")
    if retention is not None:
        cluster.snapshot_retention_limit = retention
    topic = self._get_param("NotificationTopicArn")
    if topic is not None:
        cluster.notification_configuration = {"TopicArn": topic, "TopicStatus": "active"} if topic else None
    upgrade = self._get_bool_param("AutoMinorVersionUpgrade")
    if upgrade is not None:
        cluster.auto_minor_version_upgrade = upgrade


@around(ReplicationGroup, "__init__")
def replication_group(original: Any, self: Any, *arguments: Any, **named: Any) -> None:
    """moto makes one node however many are asked for, and answers with less than ElastiCache fills in.

    NumCacheClusters counts the primary: "the default is 1". Upgrades are on unless switched off, and encryption in
    transit is `required` unless `preferred` is said:
    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html
    """
    if named.get("num_cache_clusters") and not named.get("num_node_groups"):
        named["replicas_per_node_group"] = named["num_cache_clusters"] - 1
    named["snapshot_window"] = named.get("snapshot_window") or "03:00-04:00"
    original(self, *arguments, **named)
    self.auto_minor_version_upgrade = self.auto_minor_version_upgrade is not False
    if self.transit_encryption_enabled:
        self.transit_encryption_mode = self.transit_encryption_mode or "required"
    _log_deliveries(self, named.get("log_delivery_configurations"))


def _log_deliveries(self: Any, configurations: list[dict[str, Any]] | None) -> None:
    for configuration in configurations or []:
        kept = [one for one in self.log_delivery_configurations if one["LogType"] != configuration["LogType"]]
        enabled = str(configuration.get("Enabled", True)).lower() != "false"
        active = {key: value for key, value in configuration.items() if key != "Enabled"} | {"Status": "active"}
        self.log_delivery_configurations = [*kept, active] if enabled else kept


def _members(backend: Any, group: Any) -> list[Any]:
    return [backend.cache_clusters[name] for name in group.member_clusters]


def _add_member(backend: Any, group: Any, name: str, zone: str, like: dict[str, Any]) -> None:
    cluster = CacheCluster(
        account_id=backend.account_id,
        region_name=backend.region_name,
        cache_cluster_id=name,
        preferred_availability_zone=zone,
        **{**dict.fromkeys(UNUSED), **like},
    )
    cluster.transit_encryption_enabled = group.transit_encryption_enabled
    cluster.at_rest_encryption_enabled = group.at_rest_encryption_enabled  # type: ignore[attr-defined]
    cluster.log_delivery_configurations = group.log_delivery_configurations
    backend.cache_clusters[name] = cluster


@around(ElastiCacheBackend, "create_replication_group")
def create_replication_group(original: Any, self: Any, *arguments: Any, **named: Any) -> Any:
    """moto makes a replication group without its clusters, of which each holds version, groups and windows.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html
    """
    group = original(self, *arguments, **named)
    group.like = {
        "replication_group_id": group.replication_group_id,
        "cache_node_type": group.cache_node_type,
        "snapshot_arns": None,
        "snapshot_name": None,
        **{name: named.get(name) for name in SHARED},
    }
    _fill(self, group)
    return group


def _fill(backend: Any, group: Any) -> None:
    for node_group in group.node_groups:
        for number, member in enumerate(node_group["node_group_members"]):
            zone = f"{backend.region_name}{'abc'[number % 3]}"
            member["preferred_availability_zone"] = zone
            if member["cache_cluster_id"] not in backend.cache_clusters:
                _add_member(backend, group, member["cache_cluster_id"], zone, group.like)


@around(ElastiCacheResponse, "modify_replication_group")
def modify_replication_group(original: Any, self: Any) -> Any:
    """moto changes a few settings of the group only, and none of its clusters'.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html
    """
    answer = original(self)
    group = answer.result["ReplicationGroup"]
    for cluster in _members(self.elasticache_backend, group):
        _modify(self, cluster)
    window = self._get_param("SnapshotWindow")
    if window:
        group.snapshot_window = window
    mode = self._get_param("TransitEncryptionMode")
    if mode:
        group.transit_encryption_mode = mode
    upgrade = self._get_bool_param("AutoMinorVersionUpgrade")
    if upgrade is not None:
        group.auto_minor_version_upgrade = upgrade
    _log_deliveries(group, self._get_param("LogDeliveryConfigurations"))
    return answer


def _change_replicas(self: Any) -> ActionResult:
    backend = self.elasticache_backend
    (group,) = backend.describe_replication_groups(self._get_param("ReplicationGroupId"))
    count = self._get_int_param("NewReplicaCount") + 1
    for node_group in group.node_groups:
        members = node_group["node_group_members"]
        first = members[0]["cache_cluster_id"].rsplit("-", 1)[0]
        for member in members[count:]:
            backend.cache_clusters.pop(member["cache_cluster_id"])
        new = [{**members[0], "cache_cluster_id": f"{first}-{n + 1:03}"} for n in range(len(members), count)]
        node_group["node_group_members"] = [*members[:count], *new]
    group.member_clusters = [
        member["cache_cluster_id"] for node_group in group.node_groups for member in node_group["node_group_members"]
    ]
    _fill(backend, group)
    return ActionResult({"ReplicationGroup": group})


@missing(ElastiCacheResponse, "increase_replica_count")
def increase_replica_count(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_IncreaseReplicaCount.html"""
    return _change_replicas(self)


@missing(ElastiCacheResponse, "decrease_replica_count")
def decrease_replica_count(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DecreaseReplicaCount.html"""
    return _change_replicas(self)


@around(ElastiCacheBackend, "delete_replication_group")
def delete_replication_group(original: Any, self: Any, replication_group_id: str, *arguments: Any, **named: Any) -> Any:
    """A deleted group stays in moto for ever, as `deleting`; in AWS it goes, and its clusters with it.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteReplicationGroup.html
    """
    group = original(self, replication_group_id, *arguments, **named)
    for name in group.member_clusters:
        self.cache_clusters.pop(name, None)
    return self.replication_groups.pop(replication_group_id)


@around(ElastiCacheBackend, "list_tags_for_resource")
def list_tags_for_resource(original: Any, self: Any, arn: str) -> Any:
    """moto refuses the ARN of a parameter group.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ListTagsForResource.html
    """
    if ":parametergroup:" in arn:
        return self.tagging_service.list_tags_for_resource(arn)
    return original(self, arn)


def _parameter_groups(self: Any) -> dict[str, dict[str, Any]]:
    # On the backend, so that moto's reset takes them along.
    return self.elasticache_backend.__dict__.setdefault("parameter_groups", {})  # type: ignore[no-any-return]


def _parameter_group(self: Any) -> dict[str, Any]:
    name = self._get_param("CacheParameterGroupName")
    try:
        return _parameter_groups(self)[name]
    except KeyError:
        raise CacheParameterGroupNotFoundError(name) from None


@missing(ElastiCacheResponse, "create_cache_parameter_group")
def create_cache_parameter_group(self: Any) -> ActionResult:
    """moto knows no parameter groups.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheParameterGroup.html
    """
    backend, name = self.elasticache_backend, self._get_param("CacheParameterGroupName")
    group = {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": self._get_param("CacheParameterGroupFamily"),
        "Description": self._get_param("Description"),
        "IsGlobal": False,
        "ARN": f"arn:aws:elasticache:{backend.region_name}:{backend.account_id}:parametergroup:{name}",
        "parameters": {},
    }
    _parameter_groups(self)[name] = group
    tags = self._get_param("Tags")
    if tags:
        backend.tagging_service.tag_resource(group["ARN"], tags)
    return ActionResult({"CacheParameterGroup": group})


@missing(ElastiCacheResponse, "describe_cache_parameter_groups")
def describe_cache_parameter_groups(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeCacheParameterGroups.html"""
    named = self._get_param("CacheParameterGroupName")
    groups = [_parameter_group(self)] if named else list(_parameter_groups(self).values())
    return ActionResult({"CacheParameterGroups": groups})


@missing(ElastiCacheResponse, "describe_cache_parameters")
def describe_cache_parameters(self: Any) -> ActionResult:
    """Only what was set is known here: those that ElastiCache sets by itself have the source `system`, not `user`.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeCacheParameters.html
    """
    parameters = _parameter_group(self)["parameters"] if self._get_param("Source") != "system" else {}
    return ActionResult(
        {
            "Parameters": [
                {"ParameterName": name, "ParameterValue": value, "Source": "user", "IsModifiable": True}
                for name, value in sorted(parameters.items())
            ],
            "CacheNodeTypeSpecificParameters": [],
        }
    )


@missing(ElastiCacheResponse, "modify_cache_parameter_group")
def modify_cache_parameter_group(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyCacheParameterGroup.html"""
    group = _parameter_group(self)
    for parameter in self._get_param("ParameterNameValues"):
        group["parameters"][parameter["ParameterName"]] = parameter["ParameterValue"]
    return ActionResult({"CacheParameterGroupName": group["CacheParameterGroupName"]})


@missing(ElastiCacheResponse, "reset_cache_parameter_group")
def reset_cache_parameter_group(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ResetCacheParameterGroup.html"""
    group = _parameter_group(self)
    for parameter in self._get_param("ParameterNameValues") or []:
        group["parameters"].pop(parameter["ParameterName"], None)
    if self._get_bool_param("ResetAllParameters"):
        group["parameters"].clear()
    return ActionResult({"CacheParameterGroupName": group["CacheParameterGroupName"]})


@missing(ElastiCacheResponse, "delete_cache_parameter_group")
def delete_cache_parameter_group(self: Any) -> EmptyResult:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteCacheParameterGroup.html"""
    del _parameter_groups(self)[_parameter_group(self)["CacheParameterGroupName"]]
    return EmptyResult()


@missing(ElastiCacheResponse, "modify_cache_subnet_group")
def modify_cache_subnet_group(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyCacheSubnetGroup.html"""
    backend = self.elasticache_backend
    (group,) = backend.describe_cache_subnet_groups(self._get_param("CacheSubnetGroupName"))
    changed = CacheSubnetGroup(
        backend.account_id,
        backend.region_name,
        group.cache_subnet_group_name,
        self._get_param("CacheSubnetGroupDescription") or group.cache_subnet_group_description,
        self._get_param("SubnetIds") or group.subnet_ids,
        group.tags,
    )
    backend.cache_subnet_groups[group.cache_subnet_group_name] = changed
    return ActionResult({"CacheSubnetGroup": changed})


@missing(ElastiCacheResponse, "delete_cache_subnet_group")
def delete_cache_subnet_group(self: Any) -> EmptyResult:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteCacheSubnetGroup.html"""
    backend = self.elasticache_backend
    (group,) = backend.describe_cache_subnet_groups(self._get_param("CacheSubnetGroupName"))
    del backend.cache_subnet_groups[group.cache_subnet_group_name]
    return EmptyResult()

"""Clusters and instances of RDS."""

from typing import Any

from moto.rds.models import DBCluster, RDSBackend

from tests.terraform.emulator.patching import around


@around(DBCluster, "scaling_configuration_info")
def scaling_configuration_info(original: Any, self: Any) -> dict[str, Any] | None:
    """moto answers with an empty scaling configuration for every cluster.

    Only a cluster "in serverless DB engine mode" has one:
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ScalingConfigurationInfo.html
    """
    return original(self) if self.engine_mode == "serverless" else None


@around(RDSBackend, "create_db_instance")
def create_db_instance(original: Any, self: Any, db_kwargs: dict[str, Any]) -> Any:
    """moto forgets whether and how an instance has Performance Insights, and names a certificate that is none.

    Insights are kept for 7 days by default, and the certificate is that of rds-ca-rsa2048-g1:
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
    """
    instance = original(self, {"ca_certificate_identifier": "rds-ca-rsa2048-g1", **db_kwargs})
    instance.performance_insights_enabled = bool(db_kwargs.get("enable_performance_insights"))
    if instance.performance_insights_enabled:
        instance.performance_insights_retention_period = db_kwargs.get("performance_insights_retention_period") or 7
        instance.performance_insights_kms_key_id = db_kwargs.get("performance_insights_kms_key_id")
    return instance


# A newest version of each that is asked for in part.
NEWEST = {"16": "16.6", "17": "17.4", "8.0": "8.0.mysql_aurora.3.08.2"}


@around(RDSBackend, "create_db_cluster")
def create_db_cluster(original: Any, self: Any, kwargs: dict[str, Any]) -> Any:
    """moto answers with the part of a version that it was given; AWS with the whole version that it chose.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
    """
    version = kwargs.get("engine_version")
    return original(self, {**kwargs, "engine_version": NEWEST.get(str(version), version)})

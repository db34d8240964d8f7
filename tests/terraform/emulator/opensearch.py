"""Domains of OpenSearch Service."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.opensearch.models import OpenSearchDomain, OpenSearchServiceBackend

from tests.terraform.emulator.patching import around

# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/auto-tune.html
WITHOUT_AUTO_TUNE = ("t2.", "t3.")


def _fill_in(domain: Any) -> None:
    _, _, _, region, account, _ = domain.arn.split(":", 5)
    domain.cluster_config = {
        "InstanceType": "m4.large.search",
        "InstanceCount": 1,
        "DedicatedMasterEnabled": False,
        "ZoneAwarenessEnabled": False,
        "WarmEnabled": False,
        "ColdStorageOptions": {"Enabled": False},
        "MultiAZWithStandbyEnabled": False,
        **domain.cluster_config,
    }
    if domain.ebs_options.get("VolumeType") == "gp3":
        domain.ebs_options = {"Iops": 3000, "Throughput": 125, **domain.ebs_options}
    domain.advanced_options = {
        "override_main_response_version": "false",
        "rest.action.multi.allow_explicit_index": "true",
        **domain.advanced_options,
    }
    domain.domain_endpoint_options = {
        "EnforceHTTPS": False,
        "TLSSecurityPolicy": "Policy-Min-TLS-1-2-2019-07",
        "CustomEndpointEnabled": False,
        **domain.domain_endpoint_options,
    }
    if domain.encryption_at_rest_options.get("Enabled"):
        key = f"arn:aws:kms:{region}:{account}:key/0e0e0e0e-0000-4000-8000-00000000e5e5"
        domain.encryption_at_rest_options = {"KmsKeyId": key, **domain.encryption_at_rest_options}
    domain.off_peak_window_options = domain.off_peak_window_options or {
        "Enabled": True,
        "OffPeakWindow": {"WindowStartTime": {"Hours": 22, "Minutes": 0}},
    }
    if "AutoSoftwareUpdateEnabled" not in domain.software_update_options:
        domain.software_update_options = {"AutoSoftwareUpdateEnabled": False}
    tunable = not domain.cluster_config["InstanceType"].startswith(WITHOUT_AUTO_TUNE)
    desired = domain.auto_tune_options.get("DesiredState", "ENABLED" if tunable else "DISABLED")
    domain.auto_tune_options = {"UseOffPeakWindow": False, **domain.auto_tune_options, "State": desired}
    if domain.vpc_options:
        subnets = ec2_backends[account][region].describe_subnets(subnet_ids=domain.vpc_options["SubnetIds"])
        domain.vpc_options |= {
            "VPCId": subnets[0].vpc_id,
            "AvailabilityZones": sorted({subnet.availability_zone for subnet in subnets}),
        }


@around(OpenSearchDomain, "__init__")
def create_domain(original: Any, self: Any, *arguments: Any, **named: Any) -> None:
    """moto takes an option that is given in part for the whole, and leaves out others that OpenSearch answers with.

    What a domain of one's own choice has is in
    https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_CreateDomain.html and its types; the off-peak
    window begins at 22:00 by default:
    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/off-peak.html. A domain in a VPC names it:
    https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_VPCDerivedInfo.html
    """
    original(self, *arguments, **named)
    _fill_in(self)


@around(OpenSearchServiceBackend, "update_domain_config")
def update_domain_config(original: Any, self: Any, *arguments: Any, **named: Any) -> Any:
    """The same after a change: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_UpdateDomainConfig.html"""
    changed = original(self, *arguments, **named)
    _fill_in(changed)
    return changed

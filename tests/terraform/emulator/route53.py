"""Zones of Route 53."""

from typing import Any

from moto.core.responses import ActionResult
from moto.route53.responses import Route53

from tests.terraform.emulator.patching import around


@around(Route53, "create_hosted_zone")
def create_hosted_zone(original: Any, self: Any) -> ActionResult:
    """moto takes a zone for private only if it is also called so; AWS does as soon as it has a VPC.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html
    """
    answer: ActionResult = original(self)
    vpc_id = self._get_param("VPC.VPCId")
    result: dict[str, Any] = answer.result  # type: ignore[assignment]
    zone = result["HostedZone"]
    if not vpc_id or zone.private_zone:
        return answer
    zone.private_zone = True
    zone.delegation_set = None
    zone.add_vpc(vpc_id, self._get_param("VPC.VPCRegion"))
    vpc = {"VPCId": vpc_id, "VPCRegion": self._get_param("VPC.VPCRegion")}
    return ActionResult({**result, "DelegationSet": None, "VPC": vpc})

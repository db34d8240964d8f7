"""Rules of security groups, and launch templates."""

from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplateBackend
from moto.ec2.models.security_groups import SecurityGroupRule

from tests.terraform.emulator.patching import around


@around(SecurityGroupRule, "description")
def description(original: Any, self: Any) -> str | None:
    """moto loses the description of a rule that names another group.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UserIdGroupPair.html
    """
    return original(self) or (self.source_group or {}).get("Description")


@around(LaunchTemplateBackend, "create_launch_template")
def create_launch_template(original: Any, self: Any, name: str, text: str, data: dict[str, Any], tags: Any) -> Any:
    """moto puts the tags of the template itself among those that its instances get.

    "To tag a resource after it has been created" the template's data has its own TagSpecifications; those of the
    request are the template's:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
    """
    specifications = [one for one in data.get("TagSpecifications", []) if one["ResourceType"] != "launch-template"]
    own = {key: value for key, value in data.items() if key != "TagSpecifications"}
    return original(
        self, name, text, {**own, **({"TagSpecifications": specifications} if specifications else {})}, tags
    )

"""Groups of EC2 Auto Scaling."""

import uuid
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from tests.terraform.emulator.patching import around, missing, remember

remember(FakeAutoScalingGroup, max_instance_lifetime=None, default_instance_warmup=None)


def _remember(self: Any) -> None:
    group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
    lifetime = self._get_int_param("MaxInstanceLifetime")
    if lifetime is not None:
        # 0 takes a limit away.
        group.max_instance_lifetime = lifetime or None
    warmup = self._get_int_param("DefaultInstanceWarmup")
    if warmup is not None:
        group.default_instance_warmup = None if warmup == -1 else warmup


@around(AutoScalingResponse, "create_auto_scaling_group")
def create_auto_scaling_group(original: Any, self: Any) -> Any:
    """moto forgets how long an instance may live, and how long it takes to warm up.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
    """
    answer = original(self)
    _remember(self)
    return answer


@around(AutoScalingResponse, "update_auto_scaling_group")
def update_auto_scaling_group(original: Any, self: Any) -> Any:
    """The same; 0 and -1 take a value away.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
    """
    answer = original(self)
    _remember(self)
    return answer


def _refreshes(self: Any) -> list[dict[str, Any]]:
    # On the backend, so that moto's reset takes them along.
    return self.autoscaling_backend.__dict__.setdefault("instance_refreshes", [])  # type: ignore[no-any-return]


@missing(AutoScalingResponse, "start_instance_refresh")
def start_instance_refresh(self: Any) -> ActionResult:
    """moto cannot replace the instances of a group; here, too, they stay, but it is known that they were to go.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html
    """
    refresh = {
        "InstanceRefreshId": str(uuid.uuid4()),
        "AutoScalingGroupName": self._get_param("AutoScalingGroupName"),
        "Status": "Successful",
        "PercentageComplete": 100,
        "Preferences": self._get_param("Preferences", {}),
    }
    _refreshes(self).insert(0, refresh)
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


@missing(AutoScalingResponse, "describe_instance_refreshes")
def describe_instance_refreshes(self: Any) -> ActionResult:
    """The newest is first.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeInstanceRefreshes.html
    """
    name = self._get_param("AutoScalingGroupName")
    return ActionResult(
        {"InstanceRefreshes": [refresh for refresh in _refreshes(self) if refresh["AutoScalingGroupName"] == name]}
    )

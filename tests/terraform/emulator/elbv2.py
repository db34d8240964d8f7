"""Load balancers of Elastic Load Balancing."""

from typing import Any

from moto.elbv2.models import FakeLoadBalancer

from tests.terraform.emulator.patching import around


@around(FakeLoadBalancer, "__init__")
def faces_the_internet(original: Any, self: Any, *arguments: Any, **named: Any) -> None:
    """moto answers no scheme for a load balancer that was created without one; AWS makes it internet-facing.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    """
    original(self, *arguments, **named)
    self.scheme = self.scheme or "internet-facing"


@around(FakeLoadBalancer, "__init__")
def active(original: Any, self: Any, *arguments: Any, **named: Any) -> None:
    """A load balancer of moto is `provisioning` until it has been described once; here it is `active` at once.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html
    """
    original(self, *arguments, **named)
    self.state = "active"

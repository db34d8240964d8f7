"""How long the phases of stopping take, in seconds.

The budgets add up: drain + stop + margin never exceed ECS's stop timeout, which is at most 120 s
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html).
"""

from dataclasses import dataclass
from typing import Final

from baselib.contract._document import CONTRACT

MARGIN_SECONDS: Final[int] = CONTRACT["timing"]["margin_seconds"]
KEEP_ALIVE_SECONDS: Final[int] = CONTRACT["timing"]["keep_alive_seconds"]
# The load balancer gives up after its idle time-out: what takes longer is answered to nobody.
REQUEST_SECONDS: Final[int] = CONTRACT["timing"]["load_balancer_idle_seconds"]
MAXIMUM_STOP_TIMEOUT_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class StopBudget:
    """How long a kind of service drains, and then takes to stop."""

    drain_seconds: int
    stop_seconds: int


def _budget(case: str) -> StopBudget:
    row = CONTRACT["timing"]["cases"][case]
    return StopBudget(drain_seconds=row["drain"], stop_seconds=row["stop"])


WEB: Final = _budget("web_on_demand")
WEB_ON_SPOT: Final = _budget("web_on_spot")
WORKER: Final = _budget("worker_daemon")

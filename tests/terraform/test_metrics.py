"""What the CloudWatch agent is told about metrics is true of the metrics that baselib sends."""

import json
import re
from pathlib import Path

from baselib.telemetry.metrics.standard import STANDARD_METRICS

REPOSITORY = Path(__file__).resolve().parents[2]
METRICS = json.loads((REPOSITORY / "baselib/contract/contract.json").read_text(encoding="utf-8"))["metrics"]


def test_only_what_has_no_tags_of_its_own_is_kept_as_a_sum_alone() -> None:
    assert METRICS["untagged"] == sorted(metric.name for metric in STANDARD_METRICS if not metric.tags)


def test_alarms_watch_metrics_that_there_are() -> None:
    text = (REPOSITORY / "terraform/modules/ecs_service/main.tf").read_text(encoding="utf-8")
    (listed,) = re.findall(r"for name in \[([^\]]*)\] : name => \{\n\s*namespace", text)
    watched = set(re.findall(r'"([^"]+)"', listed))
    assert watched == {"aws.calls.throttles", "restarts"}
    assert watched <= {metric.name for metric in STANDARD_METRICS if metric.type == "counter"}


def test_no_service_has_the_name_of_the_agents_container() -> None:
    text = (REPOSITORY / "terraform/modules/ecs_task/metrics.tf").read_text(encoding="utf-8")
    (name,) = re.findall(r'agent_name = "([^"]+)"', text)
    # That of a service's container is {product}-{service}.
    assert "-" not in name

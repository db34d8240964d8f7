"""The table of the metrics that baselib sends by itself."""

import re

import pytest

from baselib.contract.names import ServiceName
from baselib.telemetry.metrics import standard
from baselib.telemetry.metrics.standard import STANDARD_METRICS, StandardMetric

DEPLOYMENT = {"starts"}


def test_no_metric_is_listed_twice_and_none_is_left_out() -> None:
    names = [metric.name for metric in STANDARD_METRICS]
    assert len(set(names)) == len(names)
    defined = {value.name for value in vars(standard).values() if isinstance(value, StandardMetric)}
    assert set(names) == defined


@pytest.mark.parametrize("metric", STANDARD_METRICS, ids=lambda metric: str(metric.name))
def test_a_metric_has_a_plain_name_plain_tags_and_a_meaning(metric: StandardMetric) -> None:
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", metric.name)
    assert all(re.fullmatch(r"[a-z]+", tag) for tag in metric.tags)
    assert metric.meaning
    assert len(f"{ServiceName('a', 'b' * 18).metric_prefix}.{metric.name}") <= 255


@pytest.mark.parametrize("metric", STANDARD_METRICS, ids=lambda metric: str(metric.name))
def test_only_a_deployments_metric_is_tagged_with_the_release(metric: StandardMetric) -> None:
    # An alarm over a metric with the release among its dimensions would break with every release.
    assert ("release" in metric.tags) == (metric.name in DEPLOYMENT)

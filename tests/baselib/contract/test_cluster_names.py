"""Names of a cluster: each is legal and belongs to one cluster, and none can be a service's."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from baselib.contract import CONTRACT
from baselib.contract.names import RESOURCES

CLUSTER: dict[str, Any] = CONTRACT["cluster"]
NAMES: dict[str, str] = CLUSTER["names"]

# What AWS accepts, and what it keeps in one list with it.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCapacityProvider.html
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
LEGAL = {
    "cluster": r"[a-zA-Z0-9_-]{1,255}",
    "launch_template": r"[a-zA-Z0-9().\-/_]{3,128}",
    "on_demand_capacity_provider": r"(?!aws|ecs|fargate)[a-zA-Z0-9_-]{1,255}",
    "spot_capacity_provider": r"(?!aws|ecs|fargate)[a-zA-Z0-9_-]{1,255}",
    "security_group": r"(?!sg-)[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}",
    "instance_role": r"[a-zA-Z0-9+=,.@_-]{1,64}",
}

_CLUSTERS = st.one_of(
    st.sampled_from(["a", "prod", "aws", "ecs-jobs", "fargate", "sg-1", "spot-a", "on-demand-a", "a-instance"]),
    st.from_regex(CLUSTER["pattern"], fullmatch=True),
).filter(lambda name: len(name) <= CLUSTER["maximum_length"])


def _names(cluster: str) -> dict[str, str]:
    return {kind: name.format(cluster=cluster) for kind, name in NAMES.items()}


def test_every_kind_of_name_is_looked_at() -> None:
    assert set(NAMES) == set(LEGAL)


@given(_CLUSTERS)
def test_every_name_is_legal(cluster: str) -> None:
    for kind, name in _names(cluster).items():
        assert re.fullmatch(LEGAL[kind], name), (kind, name)


@given(_CLUSTERS, _CLUSTERS)
def test_no_two_clusters_share_a_name(first: str, second: str) -> None:
    providers = {first: _names(first), second: _names(second)}
    taken: dict[tuple[str, str], str] = {}
    for cluster, names in providers.items():
        for kind, name in names.items():
            listed = "capacity provider" if kind.endswith("_capacity_provider") else kind
            assert taken.setdefault((listed, name), cluster + kind) == cluster + kind


def test_no_service_has_a_role_or_a_security_group_that_is_called_like_a_clusters() -> None:
    roles = [rule["name"] for kind, rule in RESOURCES.items() if kind.endswith("_role")]
    assert roles
    assert not [name for name in roles if name.endswith("-instance")]
    assert NAMES["instance_role"].endswith("-instance")
    # A service's name has a hyphen before any slash.
    assert NAMES["security_group"].partition("/")[0] == "instances"

"""The Terraform of a generated worker daemon finds its modules and is valid."""

import pytest

from tests.terraform.generated import DATA_STORES, Service

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("data_stores", [[], DATA_STORES], ids=["without data stores", "with data stores"])
def test_a_copy_of_a_commit_is_valid(generated: Service, data_stores: list[str]) -> None:
    generated.check(
        kind="worker-daemon", hard_dependencies=["duolingo-auth", "duolingo-user-data"], data_stores=data_stores
    )

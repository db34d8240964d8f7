"""The Terraform of a generated cron job finds its modules and is valid."""

import pytest

from tests.terraform.generated import DATA_STORES, Service

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("data_stores", [[], DATA_STORES], ids=["without data stores", "with data stores"])
def test_a_copy_of_a_commit_is_valid(generated: Service, data_stores: list[str]) -> None:
    generated.check(kind="worker-cron", schedule="rate(5 minutes)", data_stores=data_stores)

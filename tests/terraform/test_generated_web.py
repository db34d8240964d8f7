"""The Terraform of a generated web service finds its modules and is valid."""

from pathlib import Path

import pytest

from tests.terraform.generated import DATA_STORES, Service
from tools.template import git

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("data_stores", [[], DATA_STORES], ids=["without data stores", "with data stores"])
def test_a_copy_of_a_commit_is_valid(generated: Service, data_stores: list[str]) -> None:
    generated.check(kind="web", exposure="external", environments=["staging", "prod"], data_stores=data_stores)


def test_a_copy_of_a_dirty_checkout_is_valid(generated: Service, tmp_path: Path) -> None:
    checkout = tmp_path / "platform"
    git(generated.platform, "clone", "--quiet", str(generated.platform), str(checkout))
    (checkout / "notes.txt").write_text("Not committed.\n", encoding="utf-8")
    generated.check_copy_of(checkout, kind="web")

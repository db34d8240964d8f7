"""The schema is read as the bindings have it, and Terraform finds faults with it."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.terraform.pagerduty import bindings, provider

pytestmark = pytest.mark.e2e

Run = CompletedProcess[str]
MODULE = "terraform/modules/pagerduty_service"


@pytest.fixture(scope="module")
def schema() -> bindings.Schema:
    archived = bindings.archive()
    if archived is None:
        pytest.skip(str(provider.missing()))
    return bindings.read(archived)


def test_arguments_have_types_and_flags(schema: bindings.Schema) -> None:
    schedule = schema.resources["pagerduty_schedule"]
    assert schedule.attributes["time_zone"] == bindings.Attribute("string", True, False, False)
    assert schedule.attributes["teams"] == bindings.Attribute(["list", "string"], False, True, False)
    assert schedule.attributes["id"].computed
    layer, least, most, nesting = schedule.blocks["layer"]
    assert (least, most, nesting) == (1, 0, "list")
    assert layer.attributes["rotation_turn_length_seconds"] == bindings.Attribute("number", True, False, False)
    assert layer.blocks["restriction"][1:] == (0, 0, "list")


def test_computed_lists_of_objects_are_attributes(schema: bindings.Schema) -> None:
    final = schema.resources["pagerduty_schedule"].attributes["final_schedule"]
    members = {"name": "string", "rendered_coverage_percentage": "string"}
    assert final == bindings.Attribute(["list", ["object", members]], False, False, True)


def test_a_single_block_may_be_there_once(schema: bindings.Schema) -> None:
    assert schema.resources["pagerduty_service"].blocks["incident_urgency_rule"][1:3] == (0, 1)


def test_a_set_is_a_set(schema: bindings.Schema) -> None:
    config, *_ = schema.resources["pagerduty_slack_connection"].blocks["config"]
    assert config.attributes["events"].type == ["set", "string"]


def test_data_sources_and_the_provider_are_read(schema: bindings.Schema) -> None:
    assert schema.data_sources["pagerduty_user"].attributes["email"].required
    assert schema.provider.attributes["user_token"].optional
    assert "alias" not in schema.provider.attributes
    assert "use_app_oauth_scoped_token" in schema.provider.blocks


def test_the_schema_is_of_a_version_that_the_module_accepts(schema: bindings.Schema, repository: Path) -> None:
    constraint = re.search(
        r'"PagerDuty/pagerduty"\n\s+version = ">= 3\.(\d+), < 4"', (repository / MODULE / "versions.tf").read_text()
    )
    assert constraint
    major, minor, _ = map(int, schema.version.split("."))
    assert (major, minor) >= (3, int(constraint[1]))
    assert major < 4


FAULTS = {
    "a renamed argument": ("on_call.tf", "escalation_delay_in_minutes = var", "escalation_delay_minutes = var"),
    "a missing argument": ("cloudwatch.tf", "service = pagerduty_service.this.id", ""),
    "an unknown resource": ("on_call.tf", 'resource "pagerduty_schedule"', 'resource "pagerduty_rota"'),
    "an unknown attribute": ("cloudwatch.tf", "cloudwatch.integration_key", "cloudwatch.integration_secret"),
    "a wrong type": ("main.tf", 'priorities = ["*"]', 'priorities = { any = "*" }'),
    "an unknown block": ("main.tf", 'dynamic "during_support_hours"', 'dynamic "in_support_hours"'),
}


@pytest.fixture(scope="module")
def broken(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, initialise: Callable[[Path], None]
) -> Callable[[], Path]:
    copy = tmp_path_factory.mktemp("faults")
    shutil.copytree(tree, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".terraform*"))

    def again() -> Path:
        for path in (tree / MODULE).glob("*.tf"):
            shutil.copy(path, copy / MODULE)
        initialise(copy / MODULE)
        return copy / MODULE

    return again


@pytest.mark.parametrize("fault", FAULTS)
def test_validate_finds(fault: str, broken: Callable[[], Path], terraform: Callable[..., Run]) -> None:
    folder = broken()
    name, right, wrong = FAULTS[fault]
    text = re.sub(r" +=", " =", (folder / name).read_text(encoding="utf-8"))
    assert right in text
    (folder / name).write_text(text.replace(right, wrong), encoding="utf-8")
    result = terraform(folder, "validate", "-no-color")
    assert result.returncode == 1, result.stdout
    assert name in result.stderr


def test_nothing_is_planned_with_the_stand_in(
    tree: Path, tmp_path: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]
) -> None:
    shutil.copytree(tree, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".terraform*"))
    example = tmp_path / "terraform/examples/pagerduty_service"
    initialise(example)
    result = terraform(
        example, "plan", "-input=false", "-no-color", "-target=module.duolingo-api-paging.pagerduty_schedule.this"
    )
    assert result.returncode == 1
    assert "stand-in for PagerDuty's provider" in result.stderr

"""Every module: its form, its layout, and its own tests against a mocked provider."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import hcl2
import pytest

pytestmark = pytest.mark.e2e

MODULES = sorted(
    path for path in (Path(__file__).resolve().parents[2] / "terraform/modules").iterdir() if path.is_dir()
)
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)

Run = CompletedProcess[str]


def _parse(path: Path) -> dict[str, Any]:
    with path.open() as file:
        return hcl2.load(file)


def _blocks(parsed: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for block in parsed.get(kind, []):
        for label, body in block.items():
            yield label.strip('"'), body


def test_formatted(terraform: Callable[..., Run], repository: Path) -> None:
    result = terraform(repository / "terraform", "fmt", "-check", "-recursive", "-diff")
    assert result.returncode == 0, result.stdout + result.stderr


@each_module
def test_valid(module: Path, tree: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]) -> None:
    copy = tree / "terraform/modules" / module.name
    initialise(copy)
    result = terraform(copy, "validate", "-no-color")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Warning" not in result.stdout, result.stdout


@each_module
def test_unit(module: Path, tree: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]) -> None:
    copy = tree / "terraform/modules" / module.name
    initialise(copy)
    result = terraform(copy, "test", "-no-color")
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 failed" in result.stdout


@each_module
def test_layout(module: Path) -> None:
    expected = ["README.md", "main.tf", "outputs.tf", "tests/unit.tftest.hcl", "variables.tf", "versions.tf"]
    assert [name for name in expected if not (module / name).is_file()] == []


@each_module
def test_variables_are_typed_described_and_not_null(module: Path) -> None:
    for name, body in _blocks(_parse(module / "variables.tf"), "variable"):
        assert body.get("type"), f"{name} has no type"
        assert body.get("description", "").strip('"').endswith("."), f"{name} has no sentence that describes it"
        may_be_null = body.get("default", ...) is None
        assert may_be_null or body.get("nullable") is False, f"{name} may be null without meaning to"


@each_module
def test_outputs_are_described(module: Path) -> None:
    for name, body in _blocks(_parse(module / "outputs.tf"), "output"):
        assert body.get("description", "").strip('"').endswith("."), f"{name} has no sentence that describes it"


@each_module
def test_every_validation_has_a_refusing_case(module: Path) -> None:
    validations = {
        f"var.{name}": len(body["validation"])
        for name, body in _blocks(_parse(module / "variables.tf"), "variable")
        if "validation" in body
    }
    text = (module / "tests/unit.tftest.hcl").read_text()
    refused = Counter(
        name.strip() for names in re.findall(r"expect_failures = \[([^\]]*)\]", text) for name in names.split(",")
    )
    assert {name: count for name, count in validations.items() if refused[name] < count} == {}


@each_module
def test_no_action_is_a_wildcard(module: Path) -> None:
    for path in module.glob("*.tf"):
        assert re.findall(r'"(?:\*|[a-z0-9-]+:[A-Za-z]*\*)"', path.read_text()) in ([], ['"*"'] * _allowed(path)), path


def _allowed(path: Path) -> int:
    # ecr:GetAuthorizationToken is an action that allows no resource but `*`.
    return path.read_text().count('"ecr:GetAuthorizationToken"')

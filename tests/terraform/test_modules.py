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
        # Beside a default, null means something only where the description says what.
        may_be_null = body.get("default", ...) is None or "null" in body["description"].lower()
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
def test_every_variable_and_local_is_used(module: Path) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in module.glob("*.tf")}
    code = "\n".join(text for name, text in texts.items() if name != "variables.tf")
    for name, _ in _blocks(_parse(module / "variables.tf"), "variable"):
        assert re.search(rf"\bvar\.{name}\b", code), f"var.{name} does nothing"
    for path in module.glob("*.tf"):
        for block in _parse(path).get("locals", []):
            for name in block:
                if not name.startswith("__"):
                    used = "\n".join(texts.values())
                    assert re.search(rf"\blocal\.{name}\b", used), f"local.{name} in {path.name} does nothing"


@each_module
def test_nothing_names_this_machine(module: Path) -> None:
    for path in module.rglob("*"):
        if path.is_file() and path.suffix in {".tf", ".hcl", ".md", ".py"}:
            assert not re.search(r"/(?:home|Users|root|work|opt/tf-plugins)/", path.read_text(encoding="utf-8")), path

"""The examples: one that is complete beside each module, and one in each README."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import hcl2
import pytest

pytestmark = pytest.mark.e2e

Run = CompletedProcess[str]

REPOSITORY = Path(__file__).resolve().parents[2]
TERRAFORM = REPOSITORY / "terraform"
MODULES = sorted(path for path in (TERRAFORM / "modules").iterdir() if path.is_dir())
EXAMPLES = sorted(path for path in (TERRAFORM / "examples").iterdir() if path.is_dir())
DOCUMENTS = sorted([*TERRAFORM.rglob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), REPOSITORY / "README.md"])


def variables(module: Path) -> dict[str, dict[str, Any]]:
    """A module's variables by name."""
    with (module / "variables.tf").open(encoding="utf-8") as file:
        return {
            label.strip('"'): body for block in hcl2.load(file).get("variable", []) for label, body in block.items()
        }


# What others call has an owner; what these are made of is given the whole of `names`.
PUBLIC = [module for module in MODULES if module.name != "names" and "owner" in variables(module)]


def calls(configuration: dict[str, Any]) -> Iterator[tuple[Path, set[str]]]:
    """The module and the arguments of each call of one of this repository's modules."""
    for block in configuration.get("module", []):
        for body in block.values():
            source = re.search(r"(?:/modules|^\"?\.\.)/(\w+)(?:\?|\"?$)", str(body.get("source", "")))
            if source:
                given = {name for name in body if not name.startswith("__")}
                yield (
                    TERRAFORM / "modules" / source[1],
                    given - {"source", "count", "for_each", "providers", "depends_on"},
                )


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.name)
def test_every_module_that_others_call_has_an_example(module: Path) -> None:
    example = TERRAFORM / "examples" / module.name
    assert (example / "main.tf").is_file()
    assert (example / "versions.tf").is_file()
    with (example / "main.tf").open(encoding="utf-8") as file:
        called = [name for name, _ in calls(hcl2.load(file))]
    assert module in called


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_is_valid(
    example: Path, tree: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]
) -> None:
    copy = tree / "terraform/examples" / example.name
    initialise(copy)
    result = terraform(copy, "validate", "-no-color")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Warning" not in result.stdout, result.stdout


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_readme_shows_a_call(module: Path) -> None:
    text = (module / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```hcl\n(.*?)```", text, re.DOTALL)
    assert example, "the README has no example"
    assert module in [called for called, _ in calls(hcl2.loads(example[1]))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_calls_in_documents_give_what_is_required_and_nothing_unknown(document: Path) -> None:
    for example in re.findall(r"^```hcl\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for module, arguments in calls(hcl2.loads(example)):
            known = variables(module)
            assert arguments <= known.keys(), f"{module.name} has no {sorted(arguments - known.keys())}"
            required = {name for name, body in known.items() if "default" not in body}
            assert required <= arguments, f"{module.name} needs {sorted(required - arguments)}"

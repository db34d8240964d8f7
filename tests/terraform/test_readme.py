"""What the READMEs say of variables, outputs and the look-up table is what the code says.

`python tests/terraform/test_readme.py` writes the tables anew.
"""

import json
import re
from pathlib import Path
from typing import Any

import hcl2
import pytest

pytestmark = pytest.mark.e2e

REPOSITORY = Path(__file__).resolve().parents[2]
TERRAFORM = REPOSITORY / "terraform"
MODULES = sorted(path for path in (TERRAFORM / "modules").iterdir() if path.is_dir())
CONTRACT: dict[str, Any] = json.loads((REPOSITORY / "baselib/contract/contract.json").read_text())


def _table(heading: list[str], rows: list[list[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def _default(body: dict[str, Any]) -> str:
    if "default" not in body:
        return "(required)"
    value = body["default"]
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def variables_table(module: Path) -> str:
    """The table of a module's variables, required ones first."""
    with (module / "variables.tf").open() as file:
        parsed = hcl2.load(file)
    rows = [
        [
            f"`{label.strip(chr(34))}`",
            f"`{str(body['type']).removeprefix('${').removesuffix('}')}`",
            _default(body),
            body["description"].strip('"'),
        ]
        for block in parsed["variable"]
        for label, body in block.items()
    ]
    return _table(["variable", "type", "default", "meaning"], sorted(rows, key=lambda row: row[2] != "(required)"))


def outputs_table(module: Path) -> str:
    """The table of a module's outputs."""
    with (module / "outputs.tf").open() as file:
        parsed = hcl2.load(file)
    rows = [
        [f"`{label.strip(chr(34))}`", body["description"].strip('"')]
        for block in parsed.get("output", [])
        for label, body in block.items()
    ]
    return _table(["output", "meaning"], rows) if rows else "None."


def modules_table() -> str:
    """The table of the modules: each with the first sentence of its README."""
    rows = []
    for module in MODULES:
        sentence = (module / "README.md").read_text().split("\n\n")[1].replace("\n", " ")
        rows.append([f"[`{module.name}`](modules/{module.name}/README.md)", sentence])
    return _table(["module", "what it makes"], rows)


def look_up_table() -> str:
    """The contract's look-up table."""
    return _table(
        ["what", "SSM parameter"], [[f"`{key}`", f"`{parameter}`"] for key, parameter in CONTRACT["look_up"].items()]
    )


def _filled(text: str, mark: str, table: str) -> str:
    pattern = rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)"
    assert re.search(pattern, text, re.DOTALL), f"there is no place for {mark}"
    return re.sub(pattern, lambda match: f"{match[1]}{table}\n{match[2]}", text, flags=re.DOTALL)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_variables(module: Path) -> None:
    text = (module / "README.md").read_text()
    assert text == _filled(text, "variables", variables_table(module))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_outputs(module: Path) -> None:
    text = (module / "README.md").read_text()
    assert text == _filled(text, "outputs", outputs_table(module))


def test_look_up() -> None:
    text = (TERRAFORM / "README.md").read_text()
    assert text == _filled(text, "look-up", look_up_table())


def test_modules() -> None:
    text = (TERRAFORM / "README.md").read_text()
    assert text == _filled(text, "modules", modules_table())


def _write() -> None:
    for module in MODULES:
        path = module / "README.md"
        text = _filled(path.read_text(), "variables", variables_table(module))
        if "<!-- outputs -->" not in text:
            text += "\n## Outputs\n\n<!-- outputs -->\n<!-- /outputs -->\n"
        path.write_text(_filled(text, "outputs", outputs_table(module)))
    path = TERRAFORM / "README.md"
    path.write_text(_filled(_filled(path.read_text(), "look-up", look_up_table()), "modules", modules_table()))


if __name__ == "__main__":
    _write()

"""What the documentation says is so."""

import ast
import re
from pathlib import Path

import pytest

from tools.reference import FOLDER, PAGES
from tools.template import ROOT

DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "terraform").rglob("*.md")]
    if ".terraform" not in path.parts
)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_reference_is_made_from_the_code(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "run python -m tools.reference"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_python_example_is_python(document: Path) -> None:
    for example in re.findall(
        r"^ *```python\n(.*?)^ *```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        if example.lstrip().startswith(">>> "):
            # Run by test_examples.py.
            continue
        indent = len(example) - len(example.lstrip(" "))
        ast.parse("\n".join(line[indent:] for line in example.splitlines()))


def test_every_command_of_dev_is_a_session() -> None:
    sessions = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE))
    named = set()
    for document in [*DOCUMENTS, ROOT / "dev"]:
        named |= set(re.findall(r"\./dev (\w+)", document.read_text(encoding="utf-8")))
    assert named <= sessions

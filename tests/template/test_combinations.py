"""Every combination of answers that changes a file gives a repository whose files are what they claim to be."""

import itertools
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from tests.template.conftest import Render

EXPOSED_KINDS: list[dict[str, Any]] = [
    {"kind": "web", "exposure": "internal"},
    {"kind": "web", "exposure": "external"},
    {"kind": "worker-daemon"},
    {"kind": "worker-cron"},
]
DATA_STORES = ("postgres", "redis", "memcached", "elasticsearch")
SUBSETS = [list(subset) for size in range(5) for subset in itertools.combinations(DATA_STORES, size)]
CI = ("github-actions", "jenkins")
DEPENDENCIES: list[dict[str, Any]] = [
    {},
    {
        "hard_dependencies": ["duolingo-auth", "duolingo-user-data"],
        "soft_dependencies": ["duolingo-recs"],
        "clients": ["duolingo-web"],
        "environments": ["staging", "prod"],
    },
]
# JSON would be a legal answer too, but this is what people type, and what a careless template breaks on.
DIFFICULT: dict[str, Any] = {
    "owner": "Zoë: the @team = 1/2",
    "description": """It's "quoted" \\ and ${not} %{a} {{ template }} #, naïvely: 🦉 <b>&amp;""",
}


def parse(file: Path) -> None:
    """Raises when a file is not what its name says."""
    text = file.read_text(encoding="utf-8")
    if file.suffix in {".yaml", ".yml"}:
        yaml.safe_load(text)
    elif file.suffix == ".toml":
        tomllib.loads(text)
    elif file.suffix == ".json":
        json.loads(text)
    elif file.suffix == ".tf":
        hcl2.loads(text)
    elif file.suffix == ".py":
        compile(text, str(file), "exec")


@pytest.mark.slow
@pytest.mark.parametrize("exposed_kind", EXPOSED_KINDS, ids=lambda answers: "-".join(answers.values()))
def test_every_combination_parses_and_is_clean(render: Render, exposed_kind: dict[str, Any]) -> None:
    folders = []
    for data_stores, ci in itertools.product(SUBSETS, CI):
        # Dependencies and data stores meet in few places, so that the two are not multiplied.
        dependencies = DEPENDENCIES[len(data_stores) % 2]
        folder = render(**exposed_kind, data_stores=data_stores, ci=ci, **dependencies)
        folders.append(folder)
        for file in (each for each in folder.rglob("*") if each.is_file()):
            text = file.read_text(encoding="utf-8")
            parse(file)
            assert text.strip(), f"{file} is empty"
            assert not any(mark in text.replace("${{", "") for mark in ("{{", "{%", "{#")), f"{file} has template syntax left in it"
            assert text.endswith("\n"), f"{file} does not end with a line break"
            assert not text.endswith("\n\n"), f"{file} ends with empty lines"
    _run("ruff", "check", "--no-cache", *map(str, folders))
    _run("ruff", "format", "--no-cache", "--check", *map(str, folders))


@pytest.mark.slow
@pytest.mark.parametrize("exposed_kind", EXPOSED_KINDS, ids=lambda answers: "-".join(answers.values()))
@pytest.mark.parametrize("data_stores", [[], list(DATA_STORES)], ids=["without data stores", "with data stores"])
def test_every_kind_is_strictly_typed(render: Render, exposed_kind: dict[str, Any], data_stores: list[str]) -> None:
    folder = render(**exposed_kind, data_stores=data_stores, **DEPENDENCIES[bool(data_stores)])
    _run("mypy", cwd=folder)


@pytest.mark.parametrize("exposed_kind", EXPOSED_KINDS, ids=lambda answers: "-".join(answers.values()))
def test_difficult_text_is_quoted_everywhere(render: Render, exposed_kind: dict[str, Any]) -> None:
    folder = render(**exposed_kind, **DIFFICULT)
    for file in (each for each in folder.rglob("*") if each.is_file()):
        parse(file)
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["description"] == DIFFICULT["description"]
    catalog = yaml.safe_load((folder / "catalog-info.yaml").read_text(encoding="utf-8"))
    assert catalog["metadata"]["description"] == DIFFICULT["description"]
    compose = yaml.safe_load((folder / "compose.yaml").read_text(encoding="utf-8"))
    assert compose["services"]["service"]["environment"]["SERVICE_OWNER"] == DIFFICULT["owner"]
    assert DIFFICULT["owner"] in (folder / "terraform" / "main.tf").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("answers", "there", "not_there"),
    [
        ({"kind": "web"}, "routes.py", ("handlers.py", "task.py", "worker.py", "job.py")),
        ({"kind": "worker-daemon"}, "handlers.py", ("routes.py", "task.py", "app.py", "job.py")),
        ({"kind": "worker-cron"}, "task.py", ("routes.py", "handlers.py", "app.py", "worker.py")),
        ({"ci": "github-actions"}, "ci.yaml", ("Jenkinsfile",)),
        ({"ci": "jenkins"}, "Jenkinsfile", ("ci.yaml", ".github")),
        ({}, "main.tf", ("data_stores.tf", "dependencies.tf")),
        ({"data_stores": ["redis"]}, "data_stores.tf", ("migrations",)),
        ({"data_stores": ["postgres"]}, "migrations", ()),
    ],
)
def test_nothing_is_rendered_for_what_was_not_chosen(
    render: Render, answers: dict[str, Any], there: str, not_there: tuple[str, ...]
) -> None:
    names = {each.name for each in render(**answers).rglob("*")}
    assert there in names
    assert not names & set(not_there)


@pytest.mark.parametrize("exposed_kind", EXPOSED_KINDS, ids=lambda answers: "-".join(answers.values()))
def test_a_service_may_have_any_number_of_dependencies(render: Render, exposed_kind: dict[str, Any]) -> None:
    many = [f"duolingo-users{number}" for number in range(30)]
    folder = render(**exposed_kind, hard_dependencies=many, soft_dependencies=["duolingo-recs"], clients=many[:9])
    _run("ruff", "check", "--no-cache", str(folder))
    _run("ruff", "format", "--no-cache", "--check", str(folder))
    urls = hcl2.loads((folder / "terraform" / "dependencies.tf").read_text(encoding="utf-8"))
    assert str(urls).count("_URL") == 31


@pytest.mark.parametrize("word", ["on", "null", "true", "for", "y"])
def test_words_that_yaml_or_hcl_would_read_otherwise_stay_names(render: Render, word: str) -> None:
    folder = render(product=word, service="off", environments=[word], kind="web", exposure="external")
    for file in (each for each in folder.rglob("*") if each.is_file()):
        parse(file)
    compose = yaml.safe_load((folder / "compose.yaml").read_text(encoding="utf-8"))
    assert compose["services"]["service"]["environment"]["SERVICE_PRODUCT"] == word
    catalog = yaml.safe_load((folder / "catalog-info.yaml").read_text(encoding="utf-8"))
    assert catalog["spec"]["system"] == word
    sizes = hcl2.loads((folder / "terraform" / "sizes.tf").read_text(encoding="utf-8"))
    assert word in str(sizes)


def test_the_template_needs_no_trust(platform: Path) -> None:
    questions = yaml.load((platform / "copier.yml").read_text(encoding="utf-8"), Loader=_IgnoringIncludes)
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & set(questions)


class _IgnoringIncludes(yaml.SafeLoader):
    """Reads copier.yml without the tag that is copier's own."""


_IgnoringIncludes.add_constructor("!include", lambda loader, node: str(node.value))


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

"""What an import costs, counted in modules and not in time, and the examples in the docstrings."""

import ast
import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import baselib

ROOT = Path(__file__).resolve().parents[2]
NOT_FLASK = [
    "boto3",
    "botocore",
    "moto",
    "opensearchpy",
    "psycopg",
    "pydantic",
    "pymemcache",
    "redis",
    "sentry_sdk",
    "spectree",
    "sqlalchemy",
    "urllib3",
    "yaml",
]
HEAVY = [*NOT_FLASK, "flask", "gunicorn", "werkzeug"]
MODULES = sorted(ROOT.joinpath("baselib").rglob("*.py"))


def _modules_after(statement: str) -> set[str]:
    """The modules that a fresh Python has loaded for a statement, beyond what it loads by itself."""
    code = f"import sys; before = set(sys.modules)\n{statement}\nprint(sorted(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    found: list[str] = ast.literal_eval(ran.stdout)
    return set(found)


def _packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize(
    ("statement", "unwanted", "most"),
    [
        # What the table counts is dominated by the standard library; a heavy package has hundreds of modules.
        ("import baselib", HEAVY, 40),
        ("import baselib.contract", HEAVY, 90),
        ("from baselib.telemetry import metrics", HEAVY, 140),
        ("from baselib import metrics", HEAVY, 140),
        ("from baselib import HealthCheck", HEAVY, 145),
        ("from baselib import aws", HEAVY, 150),
        ("from baselib import data_stores", HEAVY, 150),
        ("from baselib import http", HEAVY, 175),
        ("from baselib import create_app", [*NOT_FLASK, "gunicorn"], 420),
        ("from baselib import Worker", [name for name in HEAVY if name != "pydantic"], 400),
    ],
)
def test_an_import_loads_only_what_it_needs(statement: str, unwanted: list[str], most: int) -> None:
    loaded = _modules_after(statement)
    assert _packages(loaded) & set(unwanted) == set()
    assert len(loaded) <= most, sorted(loaded)


def test_the_heavy_packages_would_be_seen() -> None:
    # Guards the tests above: with their own imports these names do appear.
    assert {"boto3", "botocore"} <= _packages(_modules_after("import boto3"))


def test_every_name_that_is_offered_can_be_imported() -> None:
    for name in baselib.__all__:
        assert getattr(baselib, name) is not None
    assert sorted(baselib.__all__) == sorted({*baselib._HOMES, *baselib._PACKAGES})


def test_a_name_is_the_same_whatever_was_imported_before() -> None:
    # A module of the same name would have taken its place.
    _modules_after("import baselib.web.openapi\nfrom baselib.web import validate\nvalidate()")


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="module 'baselib' has no attribute 'unknown'"):
        _ = baselib.unknown
    assert not hasattr(baselib, "unknown")


@pytest.mark.parametrize(
    "file",
    [file for file in MODULES if ">>>" in file.read_text(encoding="utf-8")],
    ids=lambda file: file.relative_to(ROOT).as_posix(),
)
def test_the_examples_in_docstrings_hold(file: Path) -> None:
    parts = file.relative_to(ROOT).with_suffix("").parts
    module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
    # The metrics package is shadowed by the client of that name in its parent; the module itself is meant.
    result = doctest.testmod(sys.modules[module.__name__])
    assert result.attempted > 0
    assert result.failed == 0

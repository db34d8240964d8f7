"""The examples of the how-to guides, run as a reader would: in order, in one fresh Python, as a service."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from baselib.testing import EmbeddedAws, StatsdReceiver
from tools.template import ROOT

PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md") if ">>> " in page.read_text(encoding="utf-8"))
IDENTITY = {
    "SERVICE_PRODUCT": "duolingo",
    "SERVICE_NAME": "api",
    "SERVICE_OWNER": "platform",
    "LOG_LEVEL": "WARNING",
}
RUN = """
import doctest, sys
result = doctest.testfile(sys.argv[1], module_relative=False, optionflags=doctest.ELLIPSIS)
assert result.attempted
sys.exit(1 if result.failed else 0)
"""


@pytest.fixture(scope="module")
def environment() -> "dict[str, str]":  # type: ignore[misc]
    with EmbeddedAws() as embedded, StatsdReceiver() as statsd:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        yield {**inherited, **IDENTITY, **embedded.environment, **statsd.environment}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_do_what_it_says(page: Path, environment: dict[str, str], tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", RUN, str(page)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


# What the page of the plug-in says that its example tests.
SERVICE = """
import logging

import pytest
from flask import request

from baselib import create_app, metrics


def routes(app, service):
    @app.post("/lessons")
    def sell():
        metrics.incr("lessons")
        logging.getLogger("shop").info("lesson sold", extra={"lesson": request.json["name"]})
        return {}, 201


@pytest.fixture
def app():
    return create_app(__name__, routes=routes)
"""


def test_the_example_of_the_plug_in_is_a_test_that_passes(environment: dict[str, str], tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "test-a-service.md").read_text(encoding="utf-8")
    [example] = re.findall(r"^```python\n(def test_.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "conftest.py").write_text(SERVICE)
    (tmp_path / "test_it.py").write_text(example)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        env={**environment, "LOG_LEVEL": "INFO"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr

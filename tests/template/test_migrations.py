"""A generated service with postgres migrates as its docs/operations.md says, from its first day on."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.baselib.data_stores.servers import Postgres, running
from tests.template.conftest import Render

MIGRATE = [sys.executable, "-m", "baselib.cli", "migrate", "duolingo_api"]
MADE = 'op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True))'


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    with running(server):
        yield server


@pytest.fixture
def service(render: Render) -> Path:
    return render(data_stores=["postgres"], hard_dependencies=["duolingo-auth"])


def run(service: Path, *command: str, **environment: str) -> str:
    """Run a command in a service's folder as if its package were installed, and return what it printed."""
    done = subprocess.run(
        command,
        cwd=service,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "src", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_the_service_starts_after_its_migrations(service: Path) -> None:
    services = yaml.safe_load((service / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert services["service"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["migrate"]["command"] == ["baselib", *MIGRATE[3:]]
    for name in ("build", "environment", "volumes", "read_only", "tmpfs", "cap_drop", "security_opt"):
        assert services["migrate"][name] == services["service"][name], name


def test_a_service_without_postgres_has_none(render: Render) -> None:
    folder = render(data_stores=["redis", "memcached", "elasticsearch"])
    assert "migrate" not in (folder / "compose.yaml").read_text(encoding="utf-8")
    assert "migrate" not in (folder / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.e2e
def test_migrations_are_made_and_applied_as_the_documentation_says(service: Path, postgres: Postgres) -> None:
    # What compose sets, with the server of this test.
    compose = yaml.safe_load((service / "compose.yaml").read_text(encoding="utf-8"))
    environment = {**compose["services"]["migrate"]["environment"], "DATABASE_URL": postgres.url}
    assert run(service, *MIGRATE, **environment).endswith("nothing to migrate")

    operations = (service / "docs" / "operations.md").read_text(encoding="utf-8")
    told = re.search(r"^\.venv/bin/python (-c .*)$", operations, re.MULTILINE)
    assert told
    file = Path(run(service, sys.executable, *shlex.split(told[1])))
    assert file.parent == service / "src" / "duolingo_api" / "migrations"
    text = file.read_text(encoding="utf-8")
    assert "make orders" in text
    file.write_text(text.replace("pass", MADE, 1).replace("pass", 'op.drop_table("orders")'), encoding="utf-8")
    for tool in (["ruff", "check", "--no-cache"], ["ruff", "format", "--no-cache", "--check"], ["mypy"]):
        run(service, sys.executable, "-m", *tool)

    assert run(service, *MIGRATE, **environment).splitlines()[-1] in file.name
    assert run(service, *MIGRATE, **environment).endswith("nothing to migrate")
    postgres.execute("INSERT INTO orders DEFAULT VALUES")

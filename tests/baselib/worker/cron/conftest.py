"""A coordination table for each test, and jobs as processes."""

import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from baselib.aws import configure_aws
from baselib.contract import Settings
from baselib.testing import EmbeddedAws
from tests.baselib.processes import IDENTITY, Launch, Program

NIGHTLY = {**IDENTITY, "SERVICE_NAME": "nightly"}

StartJob = Callable[..., Program]


@pytest.fixture
def table(embedded_aws: EmbeddedAws, request: pytest.FixtureRequest) -> str:
    """A table of this test's own, with clients that are set up as a service sets them up."""
    configure_aws(Settings.from_environment({**NIGHTLY, **embedded_aws.environment}))
    name = f"test-{abs(hash(request.node.nodeid))}"
    embedded_aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def start_job(tmp_path: Path, launch: Launch) -> StartJob:
    """Starts a process with the body of a job's function, and the arguments of the job."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def start(body: str, arguments: str = "", *, command: tuple[str, ...] = (), **environment: Any) -> Program:
        modules = tmp_path / "modules"
        modules.mkdir(exist_ok=True)
        module = modules / f"job{len(list(modules.iterdir()))}.py"
        module.write_text(
            "import itertools, os, signal, sys, threading, time\n"
            "from baselib.worker import Job\n\n"
            f"def work(service, run):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n\n"
            f"job = Job(work, {arguments})\n"
        )
        return launch(
            "cron",
            f"{module.stem}:job",
            *command,
            **{**NIGHTLY, "PYTHONPATH": str(modules), "TMPDIR": str(temporary), **environment},
        )

    return start


@pytest.fixture(autouse=True)
def _own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run of these tests on this machine has locks of the same names."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

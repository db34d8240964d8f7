"""The image of each kind of service, built with baselib from each source, in a container as locked as in ECS."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests import package_index
from tests.baselib.data_stores.servers import Postgres, running
from tests.docker.engine import BASE_IMAGE, Engine
from tests.template.conftest import ANSWERS
from tools.template import copy, git

pytestmark = pytest.mark.e2e

IDENTITY = {"SERVICE_PRODUCT": "duolingo", "SERVICE_NAME": "api", "SERVICE_OWNER": "Learning"}
LOCKED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=256m")
NOBODY = "http://127.0.0.1:9/123456789012/duolingo-api-local"
LARGEST_WEB_MIB = 65
INSTALLED = """
import json
from importlib.metadata import distributions

print(json.dumps([(each.name, each.version) for each in distributions()]))
"""
REVISION = """
from alembic import op

revision, down_revision = "r1", None


def upgrade():
    op.execute("CREATE TABLE orders (n integer)")
"""
RELEASED = ("--build-arg=SERVICE_RELEASE=1.4.2", "--build-arg=SERVICE_SOURCE=https://github.com/duolingo/duolingo-api")
PLACES = {"web": "app:app", "worker-daemon": "worker:worker"}


@pytest.fixture(scope="session")
def wheel(platform: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the platform's commit."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", str(folder)], cwd=platform, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def web_server(platform: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A web server with the platform's git repository, and an index that has baselib."""
    folder = tmp_path_factory.mktemp("www")
    bare = folder / "platform.git"
    git(platform, "clone", "--quiet", "--bare", str(platform), str(bare))
    git(bare, "update-server-info")
    package_index.publish(wheel, folder)
    with package_index.served(folder) as address:
        yield address


def from_checkout(service: Path, answers: dict[str, Any], platform: Path, wheel: Path, web_server: str) -> None:
    """A git reference to a folder of this machine, which the build cannot see."""
    copy(service, answers, source=platform)
    (service / "wheels").mkdir()
    shutil.copy2(wheel, service / "wheels")


def from_git(service: Path, answers: dict[str, Any], platform: Path, wheel: Path, web_server: str) -> None:
    """A git reference to an address."""
    copy(service, answers, source=f"{web_server}/platform.git")


def from_wheels(service: Path, answers: dict[str, Any], platform: Path, wheel: Path, web_server: str) -> None:
    """A folder of wheels."""
    copy(service, {**answers, "library_source": "wheels"}, source=platform)
    (service / "wheels").mkdir()
    shutil.copy2(wheel, service / "wheels")


def from_index(service: Path, answers: dict[str, Any], platform: Path, wheel: Path, web_server: str) -> None:
    """The organisation's own index."""
    copy(service, {**answers, "library_source": "index", "library_index": package_index.ADDRESS}, source=platform)
    package_index.use(service, web_server)


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("web", from_checkout),
        ("web", from_git),
        ("worker-daemon", from_wheels),
        ("worker-cron", from_index),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_the_image_runs_locked_and_stops_cleanly(
    engine: Engine,
    platform: Path,
    wheel: Path,
    web_server: str,
    tmp_path: Path,
    kind: str,
    source: Callable[..., None],
) -> None:
    service = tmp_path / "service"
    source(service, {**ANSWERS, "kind": kind}, platform, wheel, web_server)
    tag = f"{kind}-{source.__name__}".replace("_", "-")
    engine.build(service, tag, *RELEASED)
    check_contents(engine, tag)
    check_labels(engine, tag)
    check_bill_of_materials(engine, tag)
    check_refusal(engine, tag)
    if kind == "worker-cron":
        check_job(engine, tag)
        return
    if kind == "web":
        assert (size(engine, tag) - size(engine, BASE_IMAGE)) / 2**20 <= LARGEST_WEB_MIB
    more = {"QUEUE_URL": NOBODY, "AWS_REGION": "us-east-1"} if kind == "worker-daemon" else {}
    check_service(engine, tag, f"duolingo_api.{PLACES[kind]}", more)


def test_the_image_migrates(engine: Engine, platform: Path, wheel: Path, web_server: str, tmp_path: Path) -> None:
    service = tmp_path / "service"
    from_wheels(service, {**ANSWERS, "data_stores": ["postgres"]}, platform, wheel, web_server)
    (service / "src" / "duolingo_api" / "migrations" / "r1_orders.py").write_text(REVISION, encoding="utf-8")
    engine.build(service, "web-postgres")
    server = Postgres()
    with running(server):
        variables = [f"--env={name}={value}" for name, value in {**IDENTITY, "DATABASE_URL": server.url}.items()]
        for told in ("r1", "nothing to migrate"):
            migrate = (*LOCKED, *variables, "web-postgres", "baselib", "migrate", "duolingo_api")
            assert engine.run("run", "--rm", "--network=host", *migrate).stdout.splitlines()[-1] == told
        server.execute("INSERT INTO orders VALUES (1)")


def size(engine: Engine, tag: str) -> int:
    """The bytes of an image's layers."""
    return int(engine.run("image", "inspect", "--format={{.Size}}", tag).stdout)


def check_contents(engine: Engine, tag: str) -> None:
    """Not root, and nothing in the image that only the build needs."""
    assert engine.run("run", "--rm", tag, "id", "-u").stdout.strip() == "10001"
    for tool in ("uv", "git", "gcc", "pytest", "moto_server"):
        assert engine.run("run", "--rm", tag, "which", tool, check=False).returncode != 0, tool
    history = engine.run("history", "--no-trunc", tag).stdout
    assert "netrc" not in history


def check_labels(engine: Engine, tag: str) -> None:
    """What and of whom it is: https://github.com/opencontainers/image-spec/blob/main/annotations.md."""
    labels = json.loads(engine.run("image", "inspect", "--format={{json .Config.Labels}}", tag).stdout)
    said = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
    assert said == {
        "title": "duolingo-api",
        "vendor": "Learning",
        "version": "1.4.2",
        "revision": "1.4.2",
        "source": "https://github.com/duolingo/duolingo-api",
        "base.name": f"docker.io/library/{BASE_IMAGE}",
    }


def check_bill_of_materials(engine: Engine, tag: str) -> None:
    """The image says itself what is in it: every installed package, with its version, and none of the tools."""
    document = engine.run("run", "--rm", tag, "cat", "sbom.cdx.json").stdout
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
    bill = json.loads(document)
    assert bill["metadata"]["component"]["name"] == "duolingo-api"
    # The same sources give the same file.
    assert "timestamp" not in bill["metadata"]
    assert "serialNumber" not in bill
    listed = {(canonical(each["name"]), each["version"]) for each in bill["components"]}
    frozen = engine.run("run", "--rm", tag, "python", "-c", INSTALLED).stdout
    assert listed == {(canonical(name), version) for name, version in json.loads(frozen)}
    assert {"baselib", "boto3"} <= {name for name, _ in listed}


def canonical(name: str) -> str:
    """A package's name as PyPI compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_refusal(engine: Engine, tag: str) -> None:
    """Without its settings it says so and ends."""
    refused = engine.run("run", "--rm", *LOCKED, tag, check=False)
    assert refused.returncode == 78
    assert "SERVICE_PRODUCT is not set" in refused.stderr


def check_service(engine: Engine, tag: str, place: str, more: dict[str, str]) -> None:
    """The container's health check and the doctor answer, nothing can be written, and SIGTERM ends it with 0."""
    variables = [f"--env={name}={value}" for name, value in {**IDENTITY, **more, "DRAIN_SECONDS": "0"}.items()]
    container = engine.run("run", "--detach", "--health-interval=1s", *LOCKED, *variables, tag).stdout.strip()
    try:
        deadline = time.monotonic() + 60
        while health(engine, container) != "healthy" and time.monotonic() < deadline:
            time.sleep(0.2)
        logs = engine.run("logs", container)
        assert health(engine, container) == "healthy", logs.stdout + logs.stderr
        answered = engine.run("exec", container, "baselib", "health")
        assert '"alive"' in answered.stdout
        # What it is told to reach may well be missing, but it has found the service.
        assert place in engine.run("exec", container, "baselib", "doctor", check=False).stdout
        assert engine.run("exec", container, "touch", "/app/file", check=False).returncode != 0
        engine.run("stop", "--time=30", container)
        state = json.loads(engine.run("inspect", container).stdout)[0]["State"]
        assert state["ExitCode"] == 0
    finally:
        engine.run("rm", "--force", "--volumes", container)


def health(engine: Engine, container: str) -> str:
    """What the engine knows of the container's health."""
    state = json.loads(engine.run("inspect", container).stdout)[0]["State"]
    return str(state.get("Health", {}).get("Status"))


def check_job(engine: Engine, tag: str) -> None:
    """The job runs once and finishes."""
    variables = [f"--env={name}={value}" for name, value in IDENTITY.items()]
    done = engine.run("run", "--rm", *LOCKED, *variables, tag)
    assert any(json.loads(line)["message"] == "cron finished" for line in done.stdout.splitlines())

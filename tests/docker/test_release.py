"""A release and a roll-back as an operator does them: images in a registry, Terraform and an AWS, all on loopback."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.baselib.processes import ask, free_port, until
from tests.docker.engine import Engine
from tests.terraform.applied.conftest import KEYS, REGION, Emulator
from tests.terraform.conftest import REPOSITORY, plugin_directory

pytestmark = pytest.mark.e2e

ACCOUNT = "123456789012"
BUCKET = f"platform-terraform-prod-{ACCOUNT}-{REGION}"
# No more of a service than a release looks at; tests/terraform applies the modules themselves.
SERVICE = """
variable "environment" {
  type = string
}

variable "service_version" {
  type = string
}

provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
}

resource "aws_ecs_cluster" "this" {
  name = var.environment
}

resource "aws_ecs_task_definition" "this" {
  family       = "duolingo-api-${var.environment}"
  skip_destroy = true

  container_definitions = jsonencode([{
    name      = "duolingo-api"
    image     = join(startswith(var.service_version, "sha256:") ? "@" : ":", ["%s", var.service_version])
    essential = true
    cpu       = 128
    memory    = 128
  }])
}

resource "aws_ecs_service" "this" {
  name            = "duolingo-api"
  cluster         = aws_ecs_cluster.this.name
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = 0
  launch_type     = "FARGATE"
}
"""
REGISTRY = """
version: 0.1
storage:
  filesystem:
    rootdirectory: {folder}
http:
  addr: 127.0.0.1:{port}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's docker-registry."""
    command = shutil.which("docker-registry")
    if command is None:
        pytest.skip("docker-registry is not installed (Debian's package of that name)")
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    (folder / "config.yml").write_text(REGISTRY.format(folder=folder / "images", port=port), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([command, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        until(lambda: ask(port, "/v2/"), "the registry answers")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    """The AWS of the tests of the Terraform modules."""
    emulator = Emulator()
    yield emulator
    emulator.close()


class Operator:
    """Somebody with credentials in a service's repository."""

    def __init__(self, folder: Path, aws: Emulator, terraform: Path) -> None:
        self.folder = folder
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "TF_")) and not name.lower().endswith("_proxy")
        } | {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
            "TF_CLI_CONFIG_FILE": str(terraform),
            "CHECKPOINT_DISABLE": "1",
        }

    def baselib(self, *arguments: str, code: int = 0) -> str:
        """Run the command, and return all that it said."""
        done = subprocess.run(
            ["python", "-m", "baselib.cli", *arguments],
            executable=shutil.which("python"),
            cwd=self.folder,
            env=self._environment | {"PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def pushed(engine: Engine, registry: str) -> dict[str, str]:
    """Three images and their digests."""
    digests = {}
    for version in ("1.0", "1.1", "1.2"):
        tag = f"{registry}/duolingo/duolingo-api:{version}"
        engine.run("build", "--quiet", "--tag", tag, "-", text=f"FROM scratch\nLABEL version={version}\n")
        engine.run("push", "--quiet", tag)
        (digest,) = json.loads(engine.run("image", "inspect", "--format={{json .RepoDigests}}", tag).stdout)
        digests[version] = digest.partition("@")[2]
    assert len(set(digests.values())) == 3
    return digests


@pytest.fixture
def operator(tmp_path: Path, aws: Emulator, registry: str, provider_directory: Path | None) -> Operator:
    """A service's repository with the template's backend, and Terraform with a provider."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on the PATH")
    aws.post("reset")
    aws.client("s3").create_bucket(Bucket=BUCKET)
    service = tmp_path / "service"
    (service / "terraform/environments").mkdir(parents=True)
    (service / "pyproject.toml").write_text('[project]\nname = "duolingo-api"\n', encoding="utf-8")
    shutil.copy2(REPOSITORY / "template/terraform/backend.tf", service / "terraform")
    (service / "terraform/main.tf").write_text(SERVICE % f"{registry}/duolingo/duolingo-api", encoding="utf-8")
    (service / "terraform/environments/prod.s3.tfbackend").write_text(
        f'bucket = "{BUCKET}"\nkey = "duolingo-api/prod.tfstate"\nregion = "{REGION}"\n', encoding="utf-8"
    )
    settings = tmp_path / "terraform.rc"
    mirror = f'filesystem_mirror {{\n path = "{provider_directory}"\n }}' if provider_directory else "direct {}"
    settings.write_text(f"provider_installation {{\n {mirror}\n}}\n", encoding="utf-8")
    return Operator(service, aws, settings)


def images(aws: Emulator) -> tuple[str, str]:
    """What the service's task definition runs, and what was registered last."""
    ecs = aws.client("ecs")
    service = ecs.describe_services(cluster="prod", services=["duolingo-api"])["services"][0]
    found = [
        ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]["containerDefinitions"][0]["image"]
        for name in (service["taskDefinition"], "duolingo-api-prod")
    ]
    return found[0], found[1]


def test_a_tag_is_released_by_digest_and_rolled_back_with_one_command(
    operator: Operator, aws: Emulator, registry: str, pushed: dict[str, str]
) -> None:
    repository = f"{registry}/duolingo/duolingo-api"
    told = operator.baselib("release", "prod", "1.0", "--repository", repository, "--yes")
    assert f"1.0 is {repository}@{pushed['1.0']}" in told
    assert images(aws)[0] == f"{repository}@{pushed['1.0']}"
    # From now on it knows where the images are.
    operator.baselib("release", "prod", "1.1", "--yes")
    assert images(aws)[0] == f"{repository}@{pushed['1.1']}"
    assert operator.baselib("running", "prod").strip() == pushed["1.1"]

    dry = operator.baselib("rollback", "prod", "--dry-run")
    assert "before that, 1.0 ran" in dry
    assert images(aws)[0] == f"{repository}@{pushed['1.1']}"
    operator.baselib("rollback", "prod", "--yes")
    assert images(aws)[0] == f"{repository}@{pushed['1.0']}"
    assert "no earlier release" in operator.baselib("rollback", "prod", "--yes", code=70)
    operator.baselib("rollback", "prod", "--to", pushed["1.2"], "--yes")
    assert images(aws)[0] == f"{repository}@{pushed['1.2']}"

    # The state is in the bucket and nowhere else, unlocked, and settled.
    keys = {each["Key"] for each in aws.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert keys == {"duolingo-api/prod.tfstate", "duolingo-api/prod.releases.json"}
    assert not list(operator.folder.rglob("terraform.tfstate.d"))
    assert not list(operator.folder.rglob("*.tfplan"))
    assert "No changes" in operator.baselib("plan", "prod")


def test_what_is_not_in_the_registry_changes_nothing(
    operator: Operator, aws: Emulator, registry: str, pushed: dict[str, str]
) -> None:
    repository = f"{registry}/duolingo/duolingo-api"
    operator.baselib("release", "prod", "1.0", "--repository", repository, "--yes")
    for version in ("1.9", "sha256:" + "0" * 64):
        assert "there is no image" in operator.baselib("release", "prod", version, "--yes", code=70)
    assert images(aws) == (f"{repository}@{pushed['1.0']}",) * 2


def test_a_run_that_goes_on_elsewhere_is_waited_for_and_not_disturbed(
    operator: Operator, aws: Emulator, registry: str, pushed: dict[str, str]
) -> None:
    repository = f"{registry}/duolingo/duolingo-api"
    operator.baselib("release", "prod", "1.0", "--repository", repository, "--yes")
    lock: dict[str, Any] = {"ID": "1", "Operation": "apply", "Who": "ben", "Created": "2026-01-01T00:00:00Z"}
    aws.client("s3").put_object(Bucket=BUCKET, Key="duolingo-api/prod.tfstate.tflock", Body=json.dumps(lock).encode())
    assert "Error acquiring the state lock" in operator.baselib("release", "prod", "1.1", "--yes", code=70)
    assert images(aws)[0] == f"{repository}@{pushed['1.0']}"


@pytest.fixture(scope="session")
def provider_directory() -> Path | None:
    """Where the AWS provider is installed; None to have it from the registry."""
    return plugin_directory()

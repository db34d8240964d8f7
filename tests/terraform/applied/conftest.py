"""Modules applied to an AWS on loopback: `world = applied("ecs_web_service", {"service_version": "1.4.2"})`."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config

from tests.terraform.applied.provider import Provider
from tests.terraform.conftest import (
    NOWHERE,
    REPOSITORY,
    Run,
    environment,
    plugin_directory,
    provider_executable,
    run_in,
)

REGION = "us-east-1"
# moto's.
ACCOUNT = "123456789012"
ENVIRONMENT = "prod"
KEYS = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator"}
SECONDS = 900
# `tree` is shared by the files of one process.
NUMBERS = itertools.count()

OVERRIDE = f"""
provider "aws" {{
  region                      = "{REGION}"
  access_key                  = "{KEYS["aws_access_key_id"]}"
  secret_key                  = "{KEYS["aws_secret_access_key"]}"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  s3_use_path_style           = true
  max_retries                 = 2
}}
"""

# Nor is what a developer's profile says of any use, or one that is missing any harm.
SESSION = boto3.Session(
    botocore_session=botocore.session.Session(
        {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
    )
)

CONTRACT: dict[str, Any] = json.loads((REPOSITORY / "baselib/contract/contract.json").read_text(encoding="utf-8"))
BILLING = set(CONTRACT["tags"])

Variables = Mapping[str, Any]


def enclosed_environment() -> dict[str, str]:
    """The environment of what is asked for an AWS: no credentials, and nothing but loopback within reach."""
    return {name: value for name, value in environment().items() if not name.lower().endswith("_proxy")} | {
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
    }


class Emulator:
    """An AWS of this test's own.

    Attributes:
        url: Where it answers.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.terraform.emulator"]
        self._process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=enclosed_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        assert port, f"{' '.join(command)} ended before it served"
        self.url = f"http://127.0.0.1:{port}"

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of one service, such as `sqs`, with keys of nobody unless others are given."""
        settings = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, proxies={})
        return SESSION.client(
            service, endpoint_url=self.url, region_name=REGION, config=settings, **{**KEYS, **options}
        )

    def post(self, path: str, body: str = "") -> None:
        """Tell moto something about itself, such as `reset`."""
        request = urllib.request.Request(
            f"{self.url}/moto-api/{path}", data=body.encode(), headers={"Content-Type": "text/plain"}
        )
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()

    def enforce_iam(self, *, enforced: bool = True) -> None:
        """Let each call do only what the policies of its keys allow, or again everything."""
        self.post("reset-auth", "0" if enforced else "inf")

    def close(self) -> None:
        """End the process."""
        try:
            self._process.communicate(timeout=30)
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise


class World:
    """A configuration and what it made.

    Args:
        folder: The configuration, initialised.
        emulator: What it is applied to.
        terraform: Runs Terraform in a folder.
        variables: The values of its variables.
    """

    def __init__(
        self, folder: Path, emulator: Emulator, terraform: Callable[..., Run], variables: Variables | None = None
    ) -> None:
        self.folder = folder
        self.variables = dict(variables or {})
        self._emulator = emulator
        self._terraform = terraform

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of the AWS that this was applied to."""
        return self._emulator.client(service, **options)

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Run:
        """Run Terraform, and fail with all that it said if it ended otherwise than with one of the codes."""
        result = self._terraform(self.folder, *arguments)
        command = f"terraform {' '.join(arguments)} in {self.folder} ended with {result.returncode}"
        assert result.returncode in codes, f"{command}\n{result.stdout}\n{result.stderr}"
        return result

    def _with_variables(self) -> list[str]:
        # In a file, so that a value of any type arrives as it is.
        (self.folder / "values.auto.tfvars.json").write_text(json.dumps(self.variables), encoding="utf-8")
        return ["-input=false", "-no-color", "-parallelism=30"]

    def apply(self) -> "World":
        """Apply it."""
        self.run("apply", "-auto-approve", *self._with_variables())
        self._assert_billed()
        return self

    def _assert_billed(self) -> None:
        """Whatever a module made that can have tags has those that it is billed by."""
        unbilled = [
            address
            for address, attributes in self.state().items()
            if address.startswith("module.") and ".data." not in address
            if "tags" in attributes and not BILLING.issubset(attributes["tags"] or {})
        ]
        assert unbilled == [], "without the tags of the contract"

    def change(self, variables: Variables) -> dict[str, list[str]]:
        """Apply it with other values of some variables, and return the actions by address, as `plan` does."""
        self.variables |= variables
        actions = self.plan()
        self.run("apply", "-input=false", "-no-color", "-parallelism=30", "changes.tfplan")
        return actions

    def plan(self) -> dict[str, list[str]]:
        """What another apply would do: the actions, such as `["update"]`, by address, of all that would change."""
        self.run("plan", "-detailed-exitcode", "-out=changes.tfplan", *self._with_variables(), codes=(0, 2))
        return {
            change["address"]: change["change"]["actions"]
            for change in self.plan_json()["resource_changes"]
            if change["change"]["actions"] not in (["no-op"], ["read"])
        }

    def plan_json(self) -> dict[str, Any]:
        """The plan that was made last, as JSON."""
        return json.loads(self.run("show", "-json", "changes.tfplan").stdout)  # type: ignore[no-any-return]

    def assert_settled(self) -> None:
        """Another plan is empty, outputs included."""
        result = self.run("plan", "-detailed-exitcode", *self._with_variables(), codes=(0, 2))
        assert result.returncode == 0, f"The second plan is not empty:\n{result.stdout}"

    def destroy(self) -> None:
        """Destroy it, and find nothing left in the state."""
        self.run("destroy", "-auto-approve", *self._with_variables())
        assert self.addresses() == []

    def _pull(self) -> dict[str, Any]:
        # Unlike `show` and `output`, this does not ask the provider for its whole schema.
        return json.loads(self.run("state", "pull").stdout or "{}")  # type: ignore[no-any-return]

    @property
    def outputs(self) -> dict[str, Any]:
        """The values of its outputs."""
        return {name: output["value"] for name, output in self._pull().get("outputs", {}).items()}

    def state(self) -> dict[str, dict[str, Any]]:
        """The attributes of each resource, data included, by address."""
        return {
            "".join(
                [
                    f"{resource['module']}." if "module" in resource else "",
                    "data." if resource["mode"] == "data" else "",
                    f"{resource['type']}.{resource['name']}",
                    f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else "",
                ]
            ): instance["attributes"]
            for resource in self._pull().get("resources", [])
            for instance in resource["instances"]
        }

    def addresses(self) -> list[str]:
        """The address of every resource that is managed, sorted."""
        return sorted(address for address in self.state() if ".data." not in f".{address}")


@pytest.fixture(scope="session")
def emulator_process() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.close()


@pytest.fixture(scope="module")
def emulator(emulator_process: Emulator) -> Emulator:
    """An AWS in which there is nothing yet, for one file of tests."""
    emulator_process.enforce_iam(enforced=False)
    emulator_process.post("reset")
    return emulator_process


@pytest.fixture(scope="session")
def enclosed() -> dict[str, str]:
    """The environment of Terraform and its provider: no credentials, and nothing but loopback within reach."""
    return enclosed_environment()


@pytest.fixture(scope="session")
def provider(
    emulator_process: Emulator, enclosed: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider | None]:
    """The AWS provider as one process with short waits, if it is where plug-ins are kept."""
    plugins = plugin_directory()
    executable = provider_executable(plugins) if plugins else None
    if executable is None:
        yield None
        return
    # For every service, also those that no test thinks of.
    variables = enclosed | {"AWS_ENDPOINT_URL": emulator_process.url}
    provider = Provider(executable, variables, tmp_path_factory.mktemp("provider"))
    yield provider
    provider.close()


@pytest.fixture(scope="session")
def applying(
    terraform_binary: str, emulator_process: Emulator, enclosed: dict[str, str], provider: Provider | None
) -> Callable[..., Run]:
    """Run Terraform with nothing but the emulator within reach: `applying(folder, "plan")`."""
    keys = {name.upper(): value for name, value in KEYS.items()}
    variables = enclosed | keys | {"AWS_ENDPOINT_URL": emulator_process.url, "AWS_REGION": REGION}

    def run(folder: Path, *arguments: str) -> Run:
        attached = provider.attach(folder) if provider else {}
        return run_in(folder, [terraform_binary, *arguments], variables | attached, SECONDS)

    return run


@pytest.fixture(scope="module")
def open_world(
    emulator: Emulator, applying: Callable[..., Run], initialise: Callable[[Path], None]
) -> Callable[..., World]:
    """Make a world of a folder that may be written to: `open_world(folder, variables).apply()`."""

    def opened(folder: Path, variables: Variables | None = None) -> World:
        configurations = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.tf"))
        # Only a provider that is there can be overridden.
        name = "emulator_override.tf" if 'provider "aws"' in configurations else "emulator.tf"
        (folder / name).write_text(OVERRIDE, encoding="utf-8")
        initialise(folder)
        return World(folder, emulator, applying, variables)

    return opened


@pytest.fixture(scope="module")
def applied(tree: Path, open_world: Callable[..., World]) -> Callable[..., World]:
    """Apply an example: `applied("ecs_web_service", {"service_version": "1.4.2"})`.

    Instead of the name of an example, a configuration may be given as text; the modules are in `../../modules/`.
    """

    def apply(example: str, variables: Variables | None = None) -> World:
        folder = tree / "terraform/examples" / f"applied-{next(NUMBERS)}"
        if "\n" in example:
            folder.mkdir(parents=True)
            (folder / "main.tf").write_text(textwrap.dedent(example), encoding="utf-8")
        else:
            shutil.copytree(tree / "terraform/examples" / example, folder)
        return open_world(folder, variables).apply()

    return apply


class Foundation:
    """What an environment's services stand on, as the modules find it.

    Attributes:
        environment: The environment, which is also the cluster's name.
        values: Each key of the look-up table and its value.
    """

    def __init__(self, emulator: Emulator, environment: str) -> None:
        self.environment = environment
        self.values: dict[str, str] = {}
        self._emulator = emulator
        self._make()

    def _make(self) -> None:
        ec2, elb = self._emulator.client("ec2"), self._emulator.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        subnets = {
            kind: [
                ec2.create_subnet(
                    VpcId=vpc, CidrBlock=f"10.0.{first + number}.0/24", AvailabilityZone=f"{REGION}{'abc'[number]}"
                )["Subnet"]["SubnetId"]
                for number in range(3)
            ]
            for kind, first in (("private", 0), ("public", 100))
        }
        groups = {
            name: ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
            for name in ("cluster", "internal", "external")
        }
        listeners = {}
        for kind, where, scheme in (
            ("internal", subnets["private"], "internal"),
            ("external", subnets["public"], "internet-facing"),
        ):
            balancer = elb.create_load_balancer(
                Name=f"{self.environment}-{kind}", Subnets=where, SecurityGroups=[groups[kind]], Scheme=scheme
            )["LoadBalancers"][0]["LoadBalancerArn"]
            listeners[kind] = elb.create_listener(
                LoadBalancerArn=balancer,
                Protocol="HTTP",
                Port=80,
                DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
            )["Listeners"][0]["ListenerArn"]
        topic = self._emulator.client("sns").create_topic
        topics = {kind: topic(Name=f"{self.environment}-{kind}")["TopicArn"] for kind in ("emergency", "warning")}
        self._emulator.client("ecs").create_cluster(clusterName=self.environment)
        self.publish(
            {
                "vpc_id": vpc,
                "private_subnet_ids": ",".join(subnets["private"]),
                "public_subnet_ids": ",".join(subnets["public"]),
                "internal_load_balancer_listener_arn": listeners["internal"],
                "external_load_balancer_listener_arn": listeners["external"],
                "emergency_topic_arn": topics["emergency"],
                "warning_topic_arn": topics["warning"],
                "cluster_security_group_id": groups["cluster"],
                "repositories_url": "https://github.com/duolingo",
                "sentry_url": "none",
                "clock_function_arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.environment}-clock",
            }
        )

    def publish(self, values: Mapping[str, str]) -> None:
        """Put values into the look-up table, under the contract's names."""
        ssm = self._emulator.client("ssm")
        self.values |= values
        for key, value in values.items():
            if key in CONTRACT["look_up"]:
                ssm.put_parameter(
                    Name=CONTRACT["look_up"][key].replace("{environment}", self.environment),
                    Value=value,
                    Type="StringList" if "," in value else "String",
                    Overwrite=True,
                )


@pytest.fixture(scope="module")
def make_foundation(emulator: Emulator) -> Callable[[str], Foundation]:
    """Make what the services of an environment stand on: `make_foundation("staging")`."""
    return lambda environment: Foundation(emulator, environment)


@pytest.fixture(scope="module")
def foundation(make_foundation: Callable[[str], Foundation]) -> Foundation:
    """What the services of `prod` stand on: network, load balancers, topics, cluster and the look-up table."""
    return make_foundation(ENVIRONMENT)

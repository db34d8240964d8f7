"""Terraform in a service's repository."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from baselib.contract import ConfigurationError
from baselib.release.errors import ReleaseError
from baselib.release.place import Place

_PLAN: Final = "baselib.tfplan"


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform for one environment.

    Attributes:
        place: The service in the environment.
        command: The path of the program.
    """

    place: Place
    command: str

    @classmethod
    def find(cls, place: Place) -> "Terraform":
        """Terraform on the PATH.

        Raises:
            ConfigurationError: There is none.
        """
        command = shutil.which("terraform")
        if command is None:
            raise ConfigurationError(["terraform is not on the PATH"])
        return cls(place, command)

    def begin(self) -> None:
        """Connect the folder with the environment's state."""
        self._run("init", "-input=false", "-reconfigure", f"-backend-config={self.place.backend_file}")

    def plan(self, version: str, *, lock: bool = True) -> dict[str, Any]:
        """Plan and show the plan.

        Args:
            version: The image's tag or digest.
            lock: Whether nobody may change the state meanwhile; who may only read cannot lock.

        Returns:
            The plan as JSON: https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
        """
        self._run("plan", *self._arguments(version), f"-out={_PLAN}", f"-lock={'true' if lock else 'false'}")
        found: dict[str, Any] = json.loads(self._ask("show", "-json", _PLAN))
        return found

    def apply_plan(self) -> None:
        """Do what was planned last, and nothing else."""
        try:
            self._run("apply", "-input=false", "-lock-timeout=60s", _PLAN)
        finally:
            self.forget_plan()

    def forget_plan(self) -> None:
        """Remove the plan's file."""
        (self.place.terraform / _PLAN).unlink(missing_ok=True)

    def apply_target(self, version: str, target: str) -> None:
        """Make one thing and what it depends on."""
        self._run("apply", *self._arguments(version), "-auto-approve", "-lock-timeout=60s", f"-target={target}")

    def state(self) -> dict[str, dict[str, Any]]:
        """The attributes of every resource by its address."""
        modules = [json.loads(self._ask("show", "-json")).get("values", {}).get("root_module", {})]
        found: dict[str, dict[str, Any]] = {}
        for module in modules:
            modules += module.get("child_modules", [])
            found |= {resource["address"]: resource["values"] for resource in module.get("resources", [])}
        return found

    def _arguments(self, version: str) -> list[str]:
        return ["-input=false", f"-var=environment={self.place.environment}", f"-var=service_version={version}"]

    def _environment(self) -> dict[str, str]:
        # One folder for each environment, also when the shell still names that of another: what another environment's
        # backend has left there does not matter.
        data = Path(".terraform") / self.place.environment
        return {"TF_IN_AUTOMATION": "1", **os.environ, "TF_DATA_DIR": str(data)}

    def _run(self, *arguments: str) -> None:
        sys.stdout.flush()
        done = subprocess.run(
            [self.command, *arguments], cwd=self.place.terraform, env=self._environment(), check=False
        )
        if done.returncode != 0:
            raise ReleaseError(f"terraform {arguments[0]} failed with exit code {done.returncode}")

    def _ask(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.command, *arguments],
            cwd=self.place.terraform,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ReleaseError(
                f"terraform {arguments[0]} failed with exit code {done.returncode}\n{done.stderr.strip()}"
            )
        return done.stdout


def changed(plan: dict[str, Any]) -> bool:
    """Whether applying a plan would change anything."""
    actions = [change["change"]["actions"] for change in plan.get("resource_changes", ())]
    outputs = [change["actions"] for change in plan.get("output_changes", {}).values()]
    return any(each not in (["no-op"], ["read"]) for each in [*actions, *outputs])


def planned(plan: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The changes of all resources of a type, such as `aws_ecs_service`, those that stay as they are among them."""
    return [change for change in plan.get("resource_changes", ()) if change["type"] == kind]

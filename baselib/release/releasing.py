"""The steps of a release, of a roll-back and of a plan.

The order is what keeps them whole: look everything up, make the new task definition, migrate, change the service, see
that it runs, and only then remember it. Whatever fails before the fourth leaves the service as it was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from baselib.release import git, registry
from baselib.release.deployed import Ecs
from baselib.release.errors import ReleaseError, explained
from baselib.release.history import History
from baselib.release.image import Image
from baselib.release.migration import migrate
from baselib.release.place import Place
from baselib.release.terraform import Terraform, changed, planned

_PLACEMENT_OF_JOBS: Final = ("CapacityProviderStrategy", "LaunchType", "NetworkConfiguration", "PlacementStrategy")
_NETWORK: Final = {"subnets": "subnets", "security_groups": "securityGroups"}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a release works with.

    Attributes:
        place: The service in the environment.
        ecs: The service in ECS.
        logs: boto3's client of CloudWatch Logs.
        history: The releases so far.
        terraform: Terraform.
        say: Tells the operator something.
        agrees: Whether the operator agrees to what is asked.
        seconds: For how long migrations, and then the deployment, may take at most.
        repository: The image repository; that of what runs now, or else the account's, when None.
    """

    place: Place
    ecs: Ecs
    logs: Any
    history: History
    terraform: Terraform
    say: Callable[[str], None]
    agrees: Callable[[str], bool]
    seconds: float
    repository: str | None = None

    def plan(self, version: str | None) -> None:
        """Show what Terraform would change, with the image that runs or with another.

        Raises:
            ReleaseError: It cannot be planned.
        """
        running = self.ecs.image()
        chosen = version or (running.version if running else None)
        if chosen is None:
            raise ReleaseError(f"nothing runs in {self.place.environment} yet, so say the version to plan with")
        self.terraform.begin()
        try:
            self.terraform.plan(chosen, lock=False)
        finally:
            self.terraform.forget_plan()

    def release(self, version: str, *, migrations: bool, dry: bool) -> None:
        """Bring a version into the environment.

        Args:
            version: The image's tag or digest.
            migrations: Whether its migrations run first.
            dry: Whether only to say what would be done.

        Raises:
            ReleaseError: It failed; the message says what runs now.
        """
        running = self.ecs.image()
        self._refuse_older(version, running)
        image = self._resolved(version, running)
        self.say(f"{version} is {image}; {f'{running.version} runs now' if running else 'nothing runs yet'}")
        self._bring(image, running, migrations=migrations and self.place.migrations, dry=dry)
        if not dry:
            self.history.released(image.version, version)
            self.say(f"{image.version} runs in {self.place.environment}")

    def roll_back(self, version: str | None, *, dry: bool) -> None:
        """Go back to the release before, or to a given one; the database stays as it is.

        Args:
            version: The image's tag or digest; the release before the one that runs when None.
            dry: Whether only to say what would be done.

        Raises:
            ReleaseError: It failed; the message says what runs now.
        """
        running = self.ecs.image()
        if version is None:
            entry = self.history.before(running.version if running else None)
            self.say(f"before that, {entry.version} ran, released at {entry.at}")
            version = entry.digest
        image = self._resolved(version, running)
        self._bring(image, running, migrations=False, dry=dry)
        if not dry:
            self.history.returned_to(image.version, version, running.version if running else None)
            self.say(f"{image.version} runs in {self.place.environment} again")

    def _refuse_older(self, version: str, running: Image | None) -> None:
        """A pipeline that was slow does not take back what a later commit's has released meanwhile."""
        known = running and (self.history.version_of(running.version) or running.version)
        if known and git.is_older(self.place.folder, version, than=known):
            raise ReleaseError(
                f"{known} runs in {self.place.environment}, which is a later commit than {version}; "
                f"baselib rollback {self.place.environment} --to {version} goes back"
            )

    def _resolved(self, version: str, running: Image | None) -> Image:
        repository = self.repository or (running.repository if running else self.place.ecr_repository)
        return Image(repository, registry.digest_of(Image(repository, version)))

    def _bring(self, image: Image, running: Image | None, *, migrations: bool, dry: bool) -> None:
        self.terraform.begin()
        try:
            plan = self.terraform.plan(image.version)
            self._expect_image(plan, image)
            if dry:
                self.say("nothing was changed" + (": its migrations would run first" if migrations else ""))
                return
            if not changed(plan):
                self.say("there is nothing to change")
            else:
                told = " after its migrations" if migrations else ""
                if not self.agrees(f"Bring {image.version} into {self.place.environment}{told}?"):
                    raise ReleaseError("nothing was changed, because nobody agreed")
                if migrations:
                    self._migrate(plan, image, running)
                    # What was planned before is no longer what is there.
                    self.terraform.plan(image.version)
                self.terraform.apply_plan()
        finally:
            self.terraform.forget_plan()
        self.ecs.wait_until_stable(image, self.seconds)

    def _expect_image(self, plan: dict[str, Any], image: Image) -> None:
        """The image that was looked up is the one that Terraform would run."""
        for change in planned(plan, "aws_ecs_task_definition"):
            after = change["change"]["after"] or {}
            definitions = after.get("container_definitions")
            if after.get("family") == self.ecs.family and definitions and str(image) not in definitions:
                raise ReleaseError(
                    f"{image} was looked up, but Terraform would run another image; --repository says where it is"
                )

    def _migrate(self, plan: dict[str, Any], image: Image, running: Image | None) -> None:
        found = [
            change
            for change in planned(plan, "aws_ecs_task_definition")
            if (change["change"]["after"] or {}).get("family") == self.ecs.family
        ]
        if len(found) != 1:
            raise ReleaseError(f"Terraform has no task definition {self.ecs.family} to migrate with")
        address = str(found[0]["address"])
        # With its module come the role's permissions, which the task needs and its definition does not refer to.
        module = found[0].get("module_address") or address
        self.say(f"{self.ecs.family}: the new task definition")
        self.terraform.apply_target(image.version, module)
        definition = self.terraform.state()[address]["arn"]
        self.say(f"{self.ecs.family}: migrations on {image.version}")
        try:
            task = migrate(
                self.ecs, self.logs, definition, self._placement(plan), self.place.name.package, self.seconds
            )
        except ReleaseError as error:
            still = f"{running.version} runs on" if running else "nothing runs yet"
            raise ReleaseError(f"{error}\n{still} in {self.place.environment}") from error
        self.say(f"{self.ecs.family}: migrated by task {task}")

    def _placement(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Where the service's tasks run: as AWS says it, or, before the first release, as Terraform has planned it."""
        service = self.ecs.running()
        if service:
            named = ("capacityProviderStrategy", "launchType", "networkConfiguration")
            placement = {name: service[name] for name in named if service.get(name)}
            if "capacityProviderStrategy" in placement:
                placement.pop("launchType", None)
            if not placement.get("networkConfiguration", {}).get("awsvpcConfiguration"):
                placement.pop("networkConfiguration", None)
            return placement
        if job := self.ecs.job():
            return {_decapitalised(name): _for_boto3(job[name]) for name in _PLACEMENT_OF_JOBS if name in job}
        after = next((change["change"]["after"] or {} for change in planned(plan, "aws_ecs_service")), {})
        placement = {}
        for strategy in after.get("capacity_provider_strategy") or ():
            placement.setdefault("capacityProviderStrategy", []).append(
                {"capacityProvider": strategy["capacity_provider"], "weight": strategy.get("weight") or 1}
            )
        if not placement and after.get("launch_type"):
            placement["launchType"] = after["launch_type"]
        for network in after.get("network_configuration") or ():
            known = {theirs: network.get(ours) for ours, theirs in _NETWORK.items()}
            if not all(known.values()):
                raise ReleaseError(
                    "the first release of a service on Fargate cannot migrate before it has a security group: "
                    "release it once with --no-migrations, and then again"
                )
            placement["networkConfiguration"] = {"awsvpcConfiguration": {**known, "assignPublicIp": "DISABLED"}}
        return placement


def _for_boto3(parameters: Any) -> Any:
    """The same with names as boto3 writes them: Step Functions begins them with a capital."""
    if isinstance(parameters, dict):
        return {_decapitalised(name): _for_boto3(each) for name, each in parameters.items()}
    return [_for_boto3(each) for each in parameters] if isinstance(parameters, list) else parameters


def _decapitalised(name: str) -> str:
    return name[0].lower() + name[1:]


def check_account(place: Place) -> None:
    """See that the credentials are those of the environment's account.

    Raises:
        ReleaseError: They are another's, or there are none.
    """
    import boto3  # noqa: PLC0415

    with explained("ask who is calling"):
        account = boto3.client("sts", region_name=place.region).get_caller_identity()["Account"]
    if account != place.account_id:
        raise ReleaseError(
            f"these AWS credentials are of account {account}, and {place.environment} is in {place.account_id}"
        )

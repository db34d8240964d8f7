"""The steps of a release: their order, and what is left when one of them fails."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from baselib.contract import ServiceName
from baselib.release import registry
from baselib.release.errors import ReleaseError
from baselib.release.git import is_older
from baselib.release.history import History
from baselib.release.image import Image
from baselib.release.migration import migrate
from baselib.release.place import Place
from baselib.release.releasing import Pipeline, check_account
from baselib.release.terraform import Terraform
from tests.baselib.release.fakes import DIGESTS, REPOSITORY, SERVICE, FakeEcs, FakeLogs, FakeStates, ecs_of
from tools.template import commit, git

A, B, C = DIGESTS["a"], DIGESTS["b"], DIGESTS["c"]
BUCKET = "platform-terraform-prod-123456789012-us-east-1"
TAGS = {"1": A, "2": B, "3": C}


class FakeTerraform:
    """Writes down what it is told; applying a plan moves the service to the planned image's definition."""

    def __init__(self, ecs: FakeEcs, states: FakeStates) -> None:
        self.done: list[str] = []
        self.actions = ["update"]
        self.fails_at: str | None = None
        self.image: str | None = None
        self.known_groups = True
        self._ecs, self._states = ecs, states
        self._planned = ""

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what == self.fails_at:
            raise ReleaseError(f"terraform {what} failed with exit code 1")

    def begin(self) -> None:
        self._do("init")

    def plan(self, version: str, *, lock: bool = True) -> dict[str, Any]:
        self._do("plan" if lock else "plan without lock")
        self._planned = version
        image = self.image or f"{REPOSITORY}@{version}"
        network = {"subnets": ["subnet-1"], "security_groups": ["sg-1"] if self.known_groups else None}
        return {
            "resource_changes": [
                {
                    "address": "module.api.module.task.aws_ecs_task_definition.this",
                    "module_address": "module.api.module.task",
                    "type": "aws_ecs_task_definition",
                    "change": {
                        "actions": self.actions,
                        "after": {"family": "family", "container_definitions": json.dumps([{"image": image}])},
                    },
                },
                {
                    "address": "module.api.module.service.aws_ecs_service.this",
                    "type": "aws_ecs_service",
                    "change": {
                        "actions": self.actions,
                        "after": {
                            "launch_type": None,
                            "capacity_provider_strategy": [{"capacity_provider": "FARGATE", "weight": 1}],
                            "network_configuration": [network],
                        },
                    },
                },
            ]
        }

    def apply_plan(self) -> None:
        self._do("apply")
        found = next(name for name, image in self._ecs.definitions.items() if image.endswith(self._planned))
        if self._states.definition:
            self._states.definition = found
        else:
            self._ecs.current = found

    def forget_plan(self) -> None:
        pass

    def apply_target(self, version: str, target: str) -> None:
        self._do(f"apply {target}")

    def state(self) -> dict[str, dict[str, Any]]:
        return {"module.api.module.task.aws_ecs_task_definition.this": {"arn": "family:2"}}


class World:
    """A pipeline and everything it works with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ecs = FakeEcs()
        self.ecs.definitions["family:3"] = f"{REPOSITORY}@{C}"
        self.states = FakeStates()
        self.terraform = FakeTerraform(self.ecs, self.states)
        self.said: list[str] = []
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        place = Place(
            ServiceName("duolingo", "api"),
            "prod",
            folder,
            "123456789012",
            "us-east-1",
            BUCKET,
            "duolingo-api/prod.tfstate",
        )
        self.history = History(s3, place)
        self.pipeline = Pipeline(
            place,
            ecs_of(self.ecs, self.states),
            FakeLogs(),
            self.history,
            self.terraform,  # type: ignore[arg-type]
            self.said.append,
            lambda _question: True,
            60.0,
        )

    def is_a_cron_job(self) -> None:
        self.ecs.current = None
        self.states.definition = "family:1"

    def has_migrations(self) -> None:
        folder = self.folder / "src/duolingo_api/migrations"
        folder.mkdir(parents=True)
        (folder / "r1.py").touch()

    def release(self, version: str, *, migrations: bool = True, dry: bool = False) -> None:
        self.pipeline.release(version, migrations=migrations, dry=dry)

    def digests(self) -> list[tuple[str, bool]]:
        return [(entry.digest, entry.rolled_back) for entry in self.history.entries()]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    known = {f"{REPOSITORY}:{tag}": digest for tag, digest in TAGS.items()}
    known |= {f"{REPOSITORY}@{digest}": digest for digest in TAGS.values()}

    def digest_of(image: Image) -> str:
        if str(image) not in known:
            raise ReleaseError(f"there is no image {image}")
        return known[str(image)]

    monkeypatch.setattr(registry, "digest_of", digest_of)
    with mock_aws():
        yield World(tmp_path)


def test_a_tag_is_released_as_its_digest_and_remembered(world: World) -> None:
    world.release("2")
    assert world.terraform.done == ["init", "plan", "apply"]
    assert world.ecs.current == "family:2"
    assert world.ecs.started == []
    entry = world.history.entries()[0]
    assert (entry.digest, entry.version) == (B, "2")


def test_migrations_run_on_the_new_definition_before_the_service_changes(world: World) -> None:
    world.has_migrations()
    at: list[str | None] = []
    world.ecs.on_look = lambda: at.append(world.ecs.current if world.ecs.started else None)
    world.release("2")
    assert world.terraform.done == ["init", "plan", "apply module.api.module.task", "plan", "apply"]
    (started,) = world.ecs.started
    assert started["taskDefinition"] == "family:2"
    assert started["overrides"]["containerOverrides"] == [
        {"name": SERVICE, "command": ["baselib", "migrate", "duolingo_api"]}
    ]
    assert started["capacityProviderStrategy"] == [{"capacityProvider": "on-demand-prod", "weight": 1}]
    assert "launchType" not in started
    assert "networkConfiguration" not in started
    assert world.ecs.current == "family:2"


def test_a_migration_that_fails_leaves_the_service_and_shows_what_it_logged(world: World) -> None:
    world.has_migrations()
    world.ecs.exit_code = 70
    with pytest.raises(ReleaseError, match="exit code 70") as caught:
        world.release("2")
    assert "relation orders already exists" in str(caught.value)
    assert f"{A} runs on in prod" in str(caught.value)
    assert world.terraform.done == ["init", "plan", "apply module.api.module.task"]
    assert world.ecs.current == "family:1"
    assert world.digests() == []


def test_migrations_without_end_are_stopped(world: World) -> None:
    world.ecs.exit_code = None
    with pytest.raises(ReleaseError, match="no end within 0 s"):
        migrate(ecs_of(world.ecs), FakeLogs(), "family:2", {}, "duolingo_api", 0)
    assert world.ecs.stopped == ["arn:aws:ecs:eu-west-1:123456789012:task/prod/0a1b"]


def test_migrations_that_find_no_place_are_told(world: World) -> None:
    world.ecs.refused = [{"reason": "RESOURCE:MEMORY"}]
    with pytest.raises(ReleaseError, match="RESOURCE:MEMORY"):
        migrate(ecs_of(world.ecs), FakeLogs(), "family:2", {}, "duolingo_api", 60)


def test_the_database_can_be_left_as_it_is(world: World) -> None:
    world.has_migrations()
    world.release("2", migrations=False)
    assert world.ecs.started == []


def test_the_first_release_migrates_where_terraform_will_put_the_service(world: World) -> None:
    world.has_migrations()
    world.ecs.current = None
    world.ecs.definitions.pop("family:1")
    pipeline = replace(world.pipeline, repository=REPOSITORY)
    pipeline.release("2", migrations=True, dry=False)
    (started,) = world.ecs.started
    assert started["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "weight": 1}]
    network = started["networkConfiguration"]["awsvpcConfiguration"]
    assert network == {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}


def test_a_first_release_that_cannot_migrate_yet_says_what_to_do(world: World) -> None:
    world.has_migrations()
    world.ecs.current = None
    world.terraform.known_groups = False
    with pytest.raises(ReleaseError, match="--no-migrations"):
        replace(world.pipeline, repository=REPOSITORY).release("2", migrations=True, dry=False)
    assert "apply" not in world.terraform.done


def test_nothing_changes_when_the_image_is_not_there(world: World) -> None:
    with pytest.raises(ReleaseError, match="there is no image"):
        world.release("9")
    assert world.terraform.done == []


def test_nothing_changes_when_terraform_would_run_another_image(world: World) -> None:
    world.terraform.image = f"elsewhere.example.com/api@{B}"
    with pytest.raises(ReleaseError, match="--repository"):
        world.release("2")
    assert world.terraform.done == ["init", "plan"]


def test_nothing_changes_when_nobody_agrees(world: World) -> None:
    with pytest.raises(ReleaseError, match="nobody agreed"):
        replace(world.pipeline, agrees=lambda _question: False).release("2", migrations=True, dry=False)
    assert world.terraform.done == ["init", "plan"]


def test_a_dry_run_changes_nothing(world: World) -> None:
    world.has_migrations()
    world.release("2", dry=True)
    assert world.terraform.done == ["init", "plan"]
    assert world.ecs.started == []
    assert world.digests() == []
    assert any("nothing was changed" in line for line in world.said)


def test_what_runs_already_is_not_applied_again(world: World) -> None:
    world.terraform.actions = ["no-op"]
    world.has_migrations()
    world.release("1")
    world.release("1")
    assert world.terraform.done == ["init", "plan"] * 2
    assert world.digests() == [(A, False)]


def test_a_roll_back_by_ecs_is_a_failed_release(world: World) -> None:
    world.ecs.rollouts = ["COMPLETED", "IN_PROGRESS", "COMPLETED"]

    looks = iter(range(100))

    def rolls_back() -> None:
        if world.terraform.done[-1:] == ["apply"] and next(looks) > 1:
            world.ecs.current = "family:1"

    world.ecs.on_look = rolls_back
    with pytest.raises(ReleaseError, match="rolled back: sha256:aaaa"):
        world.release("2")
    assert world.digests() == []


def test_a_deployment_that_failed_or_has_no_end_is_a_failed_release(world: World) -> None:
    world.ecs.rollouts = ["FAILED"]
    with pytest.raises(ReleaseError, match="failed"):
        world.release("2")
    world.ecs.rollouts = ["IN_PROGRESS"]
    with pytest.raises(ReleaseError, match="goes on after 0 s"):
        world.pipeline.ecs.wait_until_stable(Image(REPOSITORY, B), 0)


def test_a_release_waits_for_its_deployment(world: World) -> None:
    world.ecs.rollouts = ["COMPLETED", "IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]
    world.release("2")
    assert world.ecs.rollouts == ["COMPLETED"]


def test_rolling_back_goes_one_release_back_each_time_and_never_forth(world: World) -> None:
    for tag in ("1", "2", "3"):
        world.release(tag)
    world.pipeline.roll_back(None, dry=False)
    assert world.ecs.current == "family:2"
    world.pipeline.roll_back(None, dry=False)
    assert world.ecs.current == "family:1"
    assert world.digests() == [(A, False), (B, True), (C, True)]
    with pytest.raises(ReleaseError, match="no earlier release"):
        world.pipeline.roll_back(None, dry=False)
    # What was left may be released again, and is gone back from as any other.
    world.release("3")
    world.pipeline.roll_back(None, dry=False)
    assert world.ecs.current == "family:1"


def test_a_release_that_never_ran_is_not_gone_back_to(world: World) -> None:
    world.release("1")
    world.has_migrations()
    world.ecs.exit_code = 70
    with pytest.raises(ReleaseError):
        world.release("2")
    world.ecs.exit_code = 0
    world.release("3")
    world.pipeline.roll_back(None, dry=False)
    assert world.ecs.current == "family:1"


def test_rolling_back_runs_no_migrations_and_may_go_to_a_given_release(world: World) -> None:
    world.has_migrations()
    world.release("1")
    world.release("3")
    world.ecs.started.clear()
    world.pipeline.roll_back("2", dry=False)
    assert world.ecs.current == "family:2"
    assert world.ecs.started == []


def test_going_back_to_what_nobody_wrote_down_leaves_one_release_and_no_other(world: World) -> None:
    world.release("1")
    world.release("2")
    world.pipeline.roll_back("3", dry=False)
    assert world.digests() == [(A, False), (B, True), (C, False)]
    world.pipeline.roll_back(None, dry=False)
    assert world.ecs.current == "family:1"
    assert world.digests() == [(A, False), (B, True), (C, True)]


def test_a_release_that_was_left_and_chosen_again_is_as_good_as_any(world: World) -> None:
    for tag in ("1", "2"):
        world.release(tag)
    world.pipeline.roll_back(None, dry=False)
    world.pipeline.roll_back("2", dry=False)
    world.release("3")
    world.pipeline.roll_back(None, dry=False)
    assert world.ecs.current == "family:2"


def test_an_older_commit_does_not_replace_a_later_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    git(world.folder, "init", "--quiet")
    commits = []
    for text in ("first", "second"):
        (world.folder / "code.py").write_text(text, encoding="utf-8")
        commit(world.folder, text)
        commits.append(git(world.folder, "rev-parse", "HEAD"))
    older, later = commits
    monkeypatch.setattr(registry, "digest_of", lambda image: {older: B, later: C}.get(image.version, image.version))
    world.release(later)
    world.terraform.done.clear()
    with pytest.raises(ReleaseError, match=f"later commit than {older}.*rollback prod --to {older}"):
        world.release(older)
    assert world.terraform.done == []
    world.release(later)
    # Somebody who means it goes back, and then every commit is later again.
    world.pipeline.roll_back(older, dry=False)
    assert world.ecs.current == "family:2"
    world.release(later)
    assert world.ecs.current == "family:3"


def test_commits_that_are_not_there_are_not_compared(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(world.folder, "init", "--quiet")
    assert not is_older(world.folder, "0" * 40, than="1" * 40)
    assert not is_older(world.folder, "1.4", than="1.5")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not is_older(world.folder, "0" * 40, than="1" * 40)


def test_the_image_of_a_cron_job_is_the_one_that_its_next_run_takes(world: World) -> None:
    world.is_a_cron_job()
    world.has_migrations()
    world.ecs.exit_code = 70
    with pytest.raises(ReleaseError, match=f"{A} runs on"):
        world.release("2")
    assert str(world.pipeline.ecs.image()) == f"{REPOSITORY}@{A}"
    world.ecs.exit_code = 0
    world.release("2")
    assert str(world.pipeline.ecs.image()) == f"{REPOSITORY}@{B}"


def test_a_cron_job_migrates_where_its_runs_are(world: World) -> None:
    world.is_a_cron_job()
    world.has_migrations()
    world.release("2")
    (started,) = world.ecs.started
    assert started["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "weight": 1}]
    network = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}
    assert started["networkConfiguration"] == {"awsvpcConfiguration": network}
    assert [each["name"] for each in started["overrides"]["containerOverrides"]] == [SERVICE]


@pytest.mark.parametrize("refusal", ["StateMachineDoesNotExist", "AccessDeniedException"])
def test_before_the_first_release_nothing_runs_whatever_is_registered(world: World, refusal: str) -> None:
    world.ecs.current = None
    world.states.refusal = refusal
    assert world.pipeline.ecs.image() is None


def test_what_step_functions_cannot_say_is_told(world: World) -> None:
    world.ecs.current = None
    world.states.refusal = "ThrottlingException"
    with pytest.raises(ReleaseError, match="look up the state machine arn:aws:states:"):
        world.pipeline.ecs.image()


def test_a_dry_roll_back_says_where_to_and_changes_nothing(world: World) -> None:
    world.release("1")
    world.release("2")
    world.terraform.done.clear()
    world.pipeline.roll_back(None, dry=True)
    assert world.terraform.done == ["init", "plan"]
    assert world.ecs.current == "family:2"
    assert world.digests() == [(A, False), (B, False)]


def test_a_plan_is_of_the_image_that_runs_and_takes_no_lock(world: World) -> None:
    world.pipeline.plan(None)
    assert world.terraform.done == ["init", "plan without lock"]
    world.ecs.definitions.clear()
    world.ecs.current = None
    with pytest.raises(ReleaseError, match="nothing runs in prod yet"):
        world.pipeline.plan(None)


def test_two_that_write_the_releases_at_a_time_lose_none(world: World) -> None:
    first, second = world.history, History(boto3.client("s3", region_name="us-east-1"), world.history.place)
    read = first._read()
    second.released(A, "1")
    stale = iter([read])

    class Behind(History):
        def _read(self) -> Any:
            return next(stale, None) or super()._read()

    Behind(first.client, first.place).released(B, "2")
    assert world.digests() == [(A, False), (B, False)]


def test_a_file_of_releases_that_is_broken_is_told(world: World) -> None:
    world.history.client.put_object(Bucket=BUCKET, Key="duolingo-api/prod.releases.json", Body=b"{")
    with pytest.raises(ReleaseError, match="holds no list of releases"):
        world.pipeline.roll_back(None, dry=False)


def test_credentials_of_another_account_are_refused(world: World) -> None:
    check_account(world.pipeline.place)
    with pytest.raises(ReleaseError, match="of account 123456789012, and prod is in 210987654321"):
        check_account(replace(world.pipeline.place, account_id="210987654321"))


def test_terraform_is_called_in_a_folder_of_its_own_for_each_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As docs/how-to/remote-state.md lets a person leave it in a shell.
    monkeypatch.setenv("TF_DATA_DIR", ".terraform/staging")
    assert Terraform(world.pipeline.place, "terraform")._environment()["TF_DATA_DIR"] == ".terraform/prod"

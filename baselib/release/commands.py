"""What `baselib plan|release|rollback|delivery` run, from what was said on the command line."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from baselib.contract import ConfigurationError, ExitCode
from baselib.release.deployed import Ecs
from baselib.release.errors import ReleaseError
from baselib.release.history import History
from baselib.release.place import Place
from baselib.release.releasing import Pipeline, check_account
from baselib.release.terraform import Terraform


def plan(options: argparse.Namespace) -> int:
    """Show what Terraform would change."""
    return _told(lambda: _pipeline(options).plan(options.version))


def release(options: argparse.Namespace) -> int:
    """Bring an image into an environment."""
    return _told(
        lambda: _pipeline(options).release(options.version, migrations=not options.no_migrations, dry=options.dry_run)
    )


def roll_back(options: argparse.Namespace) -> int:
    """Go back to the release before."""
    return _told(lambda: _pipeline(options).roll_back(options.to, dry=options.dry_run))


def running(options: argparse.Namespace) -> int:
    """Say which image runs in an environment."""

    def run() -> None:
        place = Place.find(Path.cwd(), options.environment)
        check_account(place)
        image = _ecs(place, options.cluster).image()
        if image is None:
            raise ReleaseError(f"nothing runs in {place.environment} yet")
        sys.stdout.write(f"{image.version}\n")

    return _told(run)


def delivery(options: argparse.Namespace) -> int:
    """Say where an environment is and with which roles it is delivered, one `name=value` a line."""
    place = Place.find(Path.cwd(), options.environment)
    facts = {
        "account_id": place.account_id,
        "region": place.region,
        "repository": place.ecr_repository,
        "push_role": place.role("push_role"),
        "plan_role": place.role("plan_role"),
        "apply_role": place.role("apply_role"),
    }
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in facts.items()))
    return 0


def _pipeline(options: argparse.Namespace) -> Pipeline:
    import boto3  # noqa: PLC0415 - the help of a command needs none

    place = Place.find(Path.cwd(), options.environment)
    terraform = Terraform.find(place)
    sure = getattr(options, "yes", True) or getattr(options, "dry_run", False)
    if not sure and not sys.stdin.isatty():
        raise ConfigurationError(
            ["nobody can be asked, because standard input is no terminal: --yes goes on without asking"]
        )
    check_account(place)
    return Pipeline(
        place,
        _ecs(place, options.cluster),
        boto3.client("logs", region_name=place.region),
        History(boto3.client("s3", region_name=place.region), place),
        terraform,
        _say,
        (lambda _question: True) if sure else _asked,
        getattr(options, "wait", 0.0),
        getattr(options, "repository", None),
    )


def _ecs(place: Place, cluster: str | None) -> Ecs:
    import boto3  # noqa: PLC0415

    return Ecs(
        boto3.client("ecs", region_name=place.region),
        cluster or place.environment,
        place.resource("ecs_service"),
        place.resource("task_family"),
        boto3.client("stepfunctions", region_name=place.region),
        place.state_machine,
    )


def _say(line: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"baselib: {line}\n")
    sys.stderr.flush()


def _asked(question: str) -> bool:
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _told(run: Callable[[], None]) -> int:
    try:
        run()
    except ReleaseError as error:
        _say(str(error))
        return int(ExitCode.CRASHED)
    return int(ExitCode.FINISHED)

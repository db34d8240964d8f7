"""The `baselib` command: thin, and quick to start, because a container runs it for every health check."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from baselib.cli import commands
from baselib.contract import ConfigurationError, ExitCode


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: What follows `baselib`; `sys.argv` when None.

    Returns:
        The exit code: that of the contract for what serves or works, 0 or 1 for what asks or shows.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except ConfigurationError as error:
        if not error.told:
            sys.stderr.write(f"{error}\n")
        return int(ExitCode.CONFIGURATION)
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="baselib", description="Runs, checks and develops a service of the fleet.")
    parser.add_argument("--version", action=commands.ShowVersion)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = subparsers.add_parser("serve", help="serve a web service with gunicorn")
    serve.add_argument("application", type=commands.location, help="package.module:name of the application")
    _add_host(serve)
    serve.set_defaults(run=commands.serve)

    worker = subparsers.add_parser("worker", help="run a worker daemon until SIGTERM")
    worker.add_argument("worker", type=commands.location, help="package.module:name of the Worker")
    _add_host(worker)
    worker.set_defaults(run=commands.worker)

    cron = subparsers.add_parser("cron", help="run a cron job once")
    cron.add_argument("job", type=commands.location, help="package.module:name of the Job")
    cron.add_argument(
        "--scheduled-time",
        type=commands.moment,
        metavar="TIME",
        help="for when the run was scheduled, such as 2026-11-23T18:00:00Z; SCHEDULED_TIME or now when not given",
    )
    cron.set_defaults(run=commands.cron)

    health = subparsers.add_parser("health", help="ask the service in this container whether it is alive")
    health.add_argument("--port", type=int, help="its port; PORT or HEALTH_PORT when not given")
    health.set_defaults(run=commands.health)

    doctor = subparsers.add_parser("doctor", help="say what is configured, from where, what is missing, what answers")
    doctor.add_argument(
        "place",
        nargs="?",
        type=commands.location,
        help="package.module:name of the application, Worker or Job; found by itself in its container or repository",
    )
    doctor.add_argument("--json", action="store_true", help="one object of JSON, for machines")
    doctor.set_defaults(run=commands.doctor)

    log_level = subparsers.add_parser("log-level", help="change a logger's level in this container for some time")
    log_level.add_argument("logger", help="the logger's name; root for all")
    log_level.add_argument("level", help="DEBUG, INFO, WARNING, ERROR or CRITICAL")
    log_level.add_argument("--for", dest="seconds", type=float, default=600, metavar="SECONDS", help="for how long")
    log_level.set_defaults(run=commands.log_level)

    migrate = subparsers.add_parser("migrate", help="apply the migrations of the service's postgres")
    migrate.add_argument("package", type=commands.package, help="the service's package, which has a folder migrations")
    migrate.add_argument("--revision", default="head", help="up to which; the newest when not given")
    migrate.set_defaults(run=commands.migrate)

    _add_release_commands(subparsers)

    dev = subparsers.add_parser("dev", help="run the service of this folder with an embedded AWS and reload")
    dev.add_argument("--port", type=int, help="the port of a web service, or of a worker's health endpoints")
    dev.add_argument("--no-reload", action="store_true", help="do not start again when a file changes")
    dev.set_defaults(run=commands.dev)

    queue = subparsers.add_parser("queue", help="look into an SQS queue, redrive its dead letters, or purge it")
    _add_queue_commands(queue.add_subparsers(required=True, metavar="COMMAND"))

    embedded = subparsers.add_parser("aws", help="run the embedded AWS alone, for compose")
    embedded.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    embedded.add_argument("--port", type=int, default=4566, help="the port to listen on")
    embedded.add_argument(
        "--queue", action="append", default=[], metavar="NAME", help="a queue to make, with its dead-letter queue"
    )
    embedded.set_defaults(run=commands.aws)
    return parser


def _add_release_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    def add(name: str, what: str) -> argparse.ArgumentParser:
        parser = subparsers.add_parser(name, help=what)
        parser.add_argument("environment", help="such as prod; terraform/environments/ has a file for each")
        return parser

    plan = add("plan", "show what Terraform would change in an environment")
    plan.add_argument("version", nargs="?", type=commands.version, help="the image; the one that runs when not given")
    plan.set_defaults(run=commands.plan)

    release = add("release", "bring an image into an environment, after its migrations")
    release.add_argument("version", type=commands.version, help="the image's tag or digest")
    release.add_argument("--no-migrations", action="store_true", help="leave the database as it is")
    release.set_defaults(run=commands.release)

    rollback = add("rollback", "bring an environment back to the release before")
    rollback.add_argument("--to", type=commands.version, metavar="VERSION", help="to this tag or digest instead")
    rollback.set_defaults(run=commands.rollback)

    running = add("running", "say which image runs in an environment: its digest or tag")
    running.set_defaults(run=commands.running)

    for parser in (plan, release, rollback, running):
        parser.add_argument("--cluster", help="the ECS cluster; the one called like the environment when not given")
    for parser in (release, rollback):
        parser.add_argument("--repository", help="where the images are; where the one that runs is when not given")
        parser.add_argument(
            "--wait", type=float, default=1200.0, metavar="SECONDS", help="for the tasks; 1200 by default"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--yes", action="store_true", help="ask nothing")

    delivery = add("delivery", "say where an environment is and which roles deliver there")
    delivery.set_defaults(run=commands.delivery)


def _add_queue_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    peek = subparsers.add_parser("peek", help="show how many messages there are, and some of them")
    _add_queue(peek)
    peek.add_argument("--count", type=commands.number(1, 1000), default=10, help="how many at most; 10 when not given")
    peek.add_argument("--show-bodies", action="store_true", help="whole bodies, with nothing masked in them")
    peek.set_defaults(run=commands.queue_peek)

    redrive = subparsers.add_parser("redrive", help="move the messages of a dead-letter queue back")
    _add_queue(redrive)
    redrive.add_argument("--to", metavar="QUEUE", help="where to; the queue they came from when not given")
    redrive.add_argument("--rate", type=commands.number(1, 500), metavar="N", help="how many a second at most")
    chosen = redrive.add_mutually_exclusive_group()
    chosen.add_argument("--match", metavar="TEXT", help="only those with this text in the body or an attribute")
    chosen.add_argument("--id", action="append", default=[], help="only the message with this id; may be repeated")
    redrive.add_argument("--dry-run", action="store_true", help="only say what would be moved")
    redrive.set_defaults(run=commands.queue_redrive)

    purge = subparsers.add_parser("purge", help="delete every message")
    _add_queue(purge)
    purge.add_argument("--save", type=Path, metavar="FILE", help="write them to this new file before")
    purge.set_defaults(run=commands.queue_purge)


def _add_queue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queue", help="its name, URL or ARN")
    parser.add_argument("--dead-letters", action="store_true", help="the dead-letter queue of this queue is meant")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--json", action="store_true", help="one object of JSON, for machines")


def _add_host(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host",
        default="0.0.0.0",  # noqa: S104 - a container's port is open only where its task definition maps it
        help="the address to listen on; all of the container's when not given",
    )

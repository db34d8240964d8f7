"""The `baselib` command: thin, and quick to start, because a container runs it for every health check."""

import argparse
import sys
from collections.abc import Sequence

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

    dev = subparsers.add_parser("dev", help="run the service of this folder with an embedded AWS and reload")
    dev.add_argument("--port", type=int, help="the port of a web service, or of a worker's health endpoints")
    dev.add_argument("--no-reload", action="store_true", help="do not start again when a file changes")
    dev.set_defaults(run=commands.dev)

    embedded = subparsers.add_parser("aws", help="run the embedded AWS alone, for compose")
    embedded.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    embedded.add_argument("--port", type=int, default=4566, help="the port to listen on")
    embedded.add_argument("--queue", action="append", default=[], metavar="NAME", help="a queue to make")
    embedded.set_defaults(run=commands.aws)
    return parser


def _add_host(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host",
        default="0.0.0.0",  # noqa: S104 - a container's port is open only where its task definition maps it
        help="the address to listen on; all of the container's when not given",
    )

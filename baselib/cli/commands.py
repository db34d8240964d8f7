"""What each command does; a command imports what it runs, and only that."""

import argparse
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

from baselib.contract import ExitCode
from baselib.contract.endpoints import HEALTH_PORT, WEB_PORT
from baselib.contract.parsers import port_in
from baselib.health.probe import probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from baselib.contract import Needs, Settings

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
_PACKAGE = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*"


class ShowVersion(argparse.Action):
    """Prints the version; reads it from the installed package only when it is asked for."""

    def __init__(self, option_strings: list[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print and exit."""
        from importlib.metadata import version  # noqa: PLC0415 - a health check need not pay for it

        print(version("baselib"))
        parser.exit()


def location(text: str) -> str:
    """A place in a module, as `package.module:name`."""
    if not re.fullmatch(_PACKAGE + r":[A-Za-z_]\w*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form package.module:name")
    return text


def package(text: str) -> str:
    """A package, as `package` or `package.package`."""
    if not re.fullmatch(_PACKAGE, text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a package")
    return text


def number(least: int, most: int) -> "Callable[[str], int]":
    """A parser of whole numbers.

    Args:
        least: The smallest that is accepted.
        most: The largest.
    """

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return parse


def moment(text: str) -> "datetime":
    """A time with its offset from UTC, as RFC 3339 writes it."""
    from baselib.worker.cron.schedule import parse_time  # noqa: PLC0415 - only where one is given

    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def serve(options: argparse.Namespace) -> int:
    """Serve a web service."""
    from baselib.web.server import serve as serve_forever  # noqa: PLC0415

    return _until_crash(lambda: serve_forever(options.application, options.host))


def worker(options: argparse.Namespace) -> int:
    """Run a worker daemon."""
    return _until_crash(lambda: _load(options.worker).run(options.host))


def cron(options: argparse.Namespace) -> int:
    """Run a cron job."""
    return _until_crash(lambda: _load(options.job).run(options.scheduled_time))


def health(options: argparse.Namespace) -> int:
    """Ask the local service; the first port that anybody listens on decides."""
    ports = (
        [options.port]
        if options.port
        else [
            port_in(os.environ, "PORT", WEB_PORT),
            port_in(os.environ, "HEALTH_PORT", HEALTH_PORT),
        ]
    )
    for port in ports:
        alive, told = probe(port)
        print(told)
        if alive:
            return 0
        if "refused" not in told:
            break
    return 1


def migrate(options: argparse.Namespace) -> int:
    """Apply the migrations of a service's postgres."""
    return _until_crash(lambda: _migrate(options))


def log_level(options: argparse.Namespace) -> int:
    """Change a logger's level in every process of the service in this container, for some time."""
    from baselib.telemetry.logs import request_level  # noqa: PLC0415

    try:
        request_level(_settings(), options.logger, options.level, options.seconds)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    told = f"from {options.level.upper()} for {options.seconds:g} s" if options.seconds else "as before"
    print(f"{options.logger} logs {told}")
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Say what the service is configured with, from where, and what is missing."""
    from baselib.doctor import diagnose_location  # noqa: PLC0415

    diagnosis = diagnose_location(os.environ, options.place)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    print(diagnosis.as_json() if options.json else diagnosis.text(colour=colour))
    return diagnosis.exit_code


def version(text: str) -> str:
    """The tag or digest of an image."""
    from baselib.release.image import is_version  # noqa: PLC0415 - only where one is given

    if not is_version(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no version: accepted is sha256:..., or the tag of one image that never changes, so not latest"
        )
    return text


def plan(options: argparse.Namespace) -> int:
    """Show what Terraform would change."""
    from baselib.release.commands import plan as show  # noqa: PLC0415

    return show(options)


def release(options: argparse.Namespace) -> int:
    """Bring an image into an environment."""
    from baselib.release.commands import release as bring  # noqa: PLC0415

    return bring(options)


def rollback(options: argparse.Namespace) -> int:
    """Bring an environment back to the release before."""
    from baselib.release.commands import roll_back  # noqa: PLC0415

    return roll_back(options)


def running(options: argparse.Namespace) -> int:
    """Say which image runs in an environment."""
    from baselib.release.commands import running as tell  # noqa: PLC0415

    return tell(options)


def delivery(options: argparse.Namespace) -> int:
    """Say where an environment is and which roles deliver there."""
    from baselib.release.commands import delivery as tell  # noqa: PLC0415

    return tell(options)


def dev(options: argparse.Namespace) -> int:
    """Run the service of the working directory for its developer."""
    from pathlib import Path  # noqa: PLC0415

    from baselib.development import run  # noqa: PLC0415

    return run(Path.cwd(), port=options.port, reload=not options.no_reload)


def aws(options: argparse.Namespace) -> int:
    """Run the embedded AWS until it is told to stop."""
    from baselib.testing.embedded_aws import EmbeddedAws  # noqa: PLC0415

    # Before the server's threads start, which inherit the mask: otherwise one of them takes the signal and dies of it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    with EmbeddedAws(options.host, options.port) as embedded:
        for queue in options.queue:
            print(f"queue {embedded.make_queue(queue)}", flush=True)
        print(f"embedded AWS at {embedded.url}", flush=True)
        signal.sigwait(_ENDING)
    return 0


def queue_peek(options: argparse.Namespace) -> int:
    """Show what is in a queue."""
    from baselib.queues.commands import peek  # noqa: PLC0415

    return peek(options)


def queue_redrive(options: argparse.Namespace) -> int:
    """Move the messages of a dead-letter queue."""
    from baselib.queues.commands import redrive  # noqa: PLC0415

    return redrive(options)


def queue_purge(options: argparse.Namespace) -> int:
    """Delete everything in a queue."""
    from baselib.queues.commands import purge  # noqa: PLC0415

    return purge(options)


def _migrate(options: argparse.Namespace) -> int:
    from baselib.aws import configure_aws  # noqa: PLC0415
    from baselib.contract import Needs  # noqa: PLC0415
    from baselib.data_stores import migrations  # noqa: PLC0415
    from baselib.telemetry import configure_telemetry, flush_telemetry  # noqa: PLC0415

    sys.path.insert(0, "")
    settings = _settings(Needs(kind="worker-cron", data_stores=("postgres",)))
    configure_telemetry(settings)
    # A secret or an IAM token may be what opens the database.
    configure_aws(settings)
    try:
        applied = migrations.upgrade(settings, options.package, options.revision)
    finally:
        flush_telemetry()
    print("\n".join(applied) or "nothing to migrate")
    return 0


def _settings(needs: "Needs | None" = None) -> "Settings":
    """The settings of the service beside this process; how long that takes to stop is not this one's matter."""
    from baselib.service import read_settings  # noqa: PLC0415

    irrelevant = {"DRAIN_SECONDS", "STOP_SECONDS"}
    return read_settings(needs, {name: value for name, value in os.environ.items() if name not in irrelevant})


def _load(place: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    sys.path.insert(0, "")
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def _until_crash(run: Any) -> int:
    try:
        return int(run())
    except Exception:
        import logging  # noqa: PLC0415 - the health check does without

        # Before the settings are read there is no handler, and logging writes to standard error by itself.
        logging.getLogger("baselib").critical("crashed", exc_info=True)
        return int(ExitCode.CRASHED)

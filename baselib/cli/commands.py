"""What each command does; a command imports what it runs, and only that."""

import argparse
import logging
import os
import re
import signal
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from baselib.contract import ExitCode
from baselib.contract.endpoints import HEALTH_PORT, WEB_PORT
from baselib.contract.parsers import port_in
from baselib.health.probe import probe

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
_LOCATION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

_logger = logging.getLogger("baselib")


class ShowVersion(argparse.Action):
    """Prints the version; reads it from the installed package only when it is asked for."""

    def __init__(self, option_strings: list[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print and exit."""
        print(version("baselib"))
        parser.exit()


def location(text: str) -> str:
    """A place in a module, as `package.module:name`."""
    if not _LOCATION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form package.module:name")
    return text


def serve(options: argparse.Namespace) -> int:
    """Serve a web service."""
    from baselib.web.server import serve as serve_forever  # noqa: PLC0415

    return _until_crash(lambda: serve_forever(options.application, options.host))


def worker(options: argparse.Namespace) -> int:
    """Run a worker daemon."""
    return _until_crash(lambda: _load(options.worker).run(options.host))


def cron(options: argparse.Namespace) -> int:
    """Run a cron job."""
    return _until_crash(lambda: _load(options.job).run())


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


def dev(options: argparse.Namespace) -> int:
    """Run the service of the working directory for its developer."""
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


def _load(place: str) -> Any:
    sys.path.insert(0, "")
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def _until_crash(run: Any) -> int:
    try:
        return int(run())
    except Exception:
        # Before the settings are read there is no handler, and logging writes to standard error by itself.
        _logger.critical("crashed", exc_info=True)
        return int(ExitCode.CRASHED)

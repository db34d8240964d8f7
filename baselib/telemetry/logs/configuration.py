"""Setting up the process's logs."""

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TextIO

from baselib.contract import Settings
from baselib.contract.settings import LogFormat
from baselib.telemetry.logs.console import ConsoleFormatter
from baselib.telemetry.logs.handler import LogHandler
from baselib.telemetry.logs.json_lines import JsonFormatter
from baselib.telemetry.logs.levels import watch_requests
from baselib.telemetry.logs.masking import Masking
from baselib.telemetry.logs.repeats import Repeats
from baselib.telemetry.logs.third_parties import adopt_loggers
from baselib.telemetry.logs.uncaught import log_uncaught


def configure_logs(
    settings: Settings,
    stream: TextIO | None = None,
    *,
    sample_repeats: bool = True,
    tell_uncaught: Callable[[BaseException], object] | None = None,
) -> None:
    """Send every record of the process to one stream, in the form that the settings ask for.

    Replaces the root logger's handler, so that it may be called again. Also logs warnings and what nobody catches, and
    obeys `request_level`.

    Args:
        settings: Gives level, form, identity and the names of further fields to mask.
        stream: Where the lines go; standard output when None.
        sample_repeats: Whether an error that repeats itself is written only a few times a minute; on a console every
            line is written.
        tell_uncaught: Is told of exceptions that nobody caught, besides the log.
    """
    target = stream or sys.stdout
    form = settings.log_format or ("console" if target.isatty() else "json")
    repeats = Repeats() if sample_repeats and form == "json" else None
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if getattr(handler, "of_baselib", False)]:
        root.removeHandler(old)
    adopt_loggers()
    root.addHandler(
        log_handler(settings.identity, form, target, masked_fields=settings.log_masked_fields, repeats=repeats)
    )
    root.setLevel(settings.log_level)
    # It says at every start where it found credentials, which nobody asked.
    logging.getLogger("botocore.credentials").setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(capture=True)
    # https://docs.python.org/3/howto/logging.html#optimization: no line of ours shows them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined, unused-ignore] # since Python 3.12
    log_uncaught(tell_uncaught)
    watch_requests(settings)


def log_handler(
    identity: Mapping[str, str],
    form: LogFormat,
    stream: TextIO,
    *,
    masked_fields: Iterable[str] = (),
    repeats: Repeats | None = None,
) -> logging.Handler:
    """A handler that writes the contract's log line.

    Args:
        identity: Fields that are on every line.
        form: `json` or `console`.
        stream: Where the lines go.
        masked_fields: Names of fields that are masked besides those that always are.
        repeats: Leaves out errors that repeat themselves; none are left out when None.
    """
    handler = LogHandler(stream, repeats)
    masking = Masking(masked_fields)
    if form == "json":
        handler.setFormatter(JsonFormatter(identity, masking))
    else:
        handler.setFormatter(ConsoleFormatter(colour=stream.isatty(), masking=masking))
    return handler

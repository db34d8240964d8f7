"""The time for which a run was scheduled, as the scheduler writes it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from baselib.contract import ConfigurationError

# What EventBridge Scheduler can fill in is `<aws.scheduler.scheduled-time>`:
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
VARIABLE: Final = "SCHEDULED_TIME"
_ACCEPTED: Final = "a date and time with its offset from UTC, such as 2026-11-23T18:00:00Z"
# A run that covers what has not happened yet would leave it out for ever; clocks differ by less than this.
_FURTHEST_AHEAD: Final = timedelta(minutes=5)


def parse_time(text: str) -> datetime:
    """A time as RFC 3339 writes it, in UTC (https://www.rfc-editor.org/rfc/rfc3339).

    Args:
        text: For instance `2026-11-23T18:00:00Z`.

    Raises:
        ValueError: It is none, has no offset, or lies in the future.
    """
    try:
        written = datetime.fromisoformat(text)
        # Without an offset it would mean something else on each machine.
        moment = written.astimezone(UTC) if written.tzinfo is not None else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise ValueError(f"{text!r} is not {_ACCEPTED}")
    if moment > datetime.now(UTC) + _FURTHEST_AHEAD:
        raise ValueError(f"{text!r} is in the future")
    return moment


def scheduled_time(environ: Mapping[str, str]) -> datetime | None:
    """What `SCHEDULED_TIME` says; None when it is not set.

    Args:
        environ: The environment variables.

    Raises:
        ConfigurationError: It says something else.
    """
    text = environ.get(VARIABLE, "")
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise ConfigurationError([f"{VARIABLE}: {error}"]) from None

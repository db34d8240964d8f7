"""The caller's own fields of a log record."""

from logging import LogRecord, makeLogRecord
from typing import Any, Final

_AT_FIRST: Final = len(vars(makeLogRecord({})))

# Everything that logging itself puts on a record; what remains are the caller's own fields.
_OF_LOGGING: Final = frozenset(vars(makeLogRecord({}))) | {"message", "asctime", "taskName"}


def own_names(record: LogRecord) -> list[Any]:
    """Names of the fields that the caller, or a filter, put on a record.

    Args:
        record: What was logged.
    """
    # They stand behind logging's own, which are there from the start.
    names = list(record.__dict__)[_AT_FIRST:]
    if _OF_LOGGING.isdisjoint(names):
        return names
    return [name for name in record.__dict__ if name not in _OF_LOGGING]

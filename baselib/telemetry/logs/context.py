"""Fields on every line within a block.

>>> import io, logging
>>> from baselib.telemetry.logs import log_handler
>>> stream = io.StringIO()
>>> handler = log_handler({}, "json", stream)
>>> with log_fields(order=7):
...     handler.handle(logging.makeLogRecord({"msg": "paid"}))
True
>>> '"order":7' in stream.getvalue()
True
"""

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

_fields: ContextVar[Mapping[str, Any]] = ContextVar("baselib_log_fields", default={})  # noqa: B039 - never changed


@contextlib.contextmanager
def log_fields(**fields: Any) -> Iterator[None]:
    """Put fields on every line that is logged within a `with` block, by this thread or task, whoever logs it.

    What a line says itself goes before them; they are masked as its own are.

    Args:
        fields: Names and values.
    """
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


current_fields = _fields.get
"""The fields of the blocks that this thread or task is in."""

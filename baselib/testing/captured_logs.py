"""The log lines of a test, as production would write them."""

import json
import logging
from typing import Any, Final, Self

from baselib.telemetry.logs import JsonFormatter


class CapturedLogs(list[dict[str, Any]]):
    """Log lines as the objects that they are; masked, with the ids of their span, but without the identity.

    >>> import logging
    >>> with CapturedLogs() as logs:
    ...     logging.getLogger("shop").warning("sold out", extra={"item": "tea", "password": "hunter2"})
    >>> logs.one("sold out")["item"], logs.one("sold out")["password"]
    ('tea', '***')
    """

    def __init__(self) -> None:
        super().__init__()
        self._handler: Final = _Handler(self)

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(min(root.level, logging.INFO))
        root.addHandler(self._handler)
        return self

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._level)

    def with_message(self, message: str) -> list[dict[str, Any]]:
        """The lines with a message.

        Args:
            message: The whole message.
        """
        return [line for line in self if line["message"] == message]

    def one(self, message: str) -> dict[str, Any]:
        """The one line with a message.

        Args:
            message: The whole message.

        Raises:
            AssertionError: There is none, or more than one; it lists the messages that there are.
        """
        found = self.with_message(message)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} lines say {message!r}; all: {[line['message'] for line in self]}")
        return found[0]


class _Handler(logging.Handler):
    def __init__(self, lines: list[dict[str, Any]]) -> None:
        super().__init__()
        self._lines = lines
        self.setFormatter(JsonFormatter({}))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(json.loads(self.format(record)))

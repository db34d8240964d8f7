"""The answer to a call, read to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from baselib.http.errors import BadBodyError, BadStatusError

NO_FALLBACK: Final = object()
"""Stands for a fallback that the caller did not give; None is one."""


@dataclass(frozen=True, slots=True)
class Response:
    """What another service answered, or what stands in for it.

    Args:
        dependency: The other service's name.
        status: The HTTP status; 0 for a fallback.
        headers: The header fields; names in any case.
        content: The body.
        fallback: The value that stands in for an answer, where none came.
    """

    dependency: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)
    fallback: Any = field(default=NO_FALLBACK, repr=False)

    @property
    def is_fallback(self) -> bool:
        """Whether no answer came, and the caller's fallback stands in for it."""
        return self.fallback is not NO_FALLBACK

    @property
    def text(self) -> str:
        """The body as text, which is UTF-8 between services; what is not becomes U+FFFD."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """What the body says as JSON; for a fallback, the value itself.

        Raises:
            BadBodyError: The body is not JSON.
        """
        if self.is_fallback:
            return self.fallback
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            # Its own error holds the whole body.
            raise BadBodyError(
                self.dependency, "answered with a body that is not JSON", sent=True, answered=True
            ) from None

    def raise_for_status(self) -> "Response":
        """The response itself, so that calls can be chained.

        Raises:
            BadStatusError: The status is 400 or more.
        """
        if self.status >= 400:
            raise BadStatusError(self.dependency, self.status)
        return self

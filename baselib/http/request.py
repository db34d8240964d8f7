"""A request to another service, checked before a byte of it is sent.

What a caller passes often comes from a caller of its own. Nothing of it can forge a second header or a second request,
name another host, or leave the paths below the dependency's URL.
"""

import re
import uuid
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode, urlsplit

import orjson

from baselib.http.retries import IDEMPOTENT

METHODS: Final = (*sorted(IDEMPOTENT), "PATCH", "POST")

# RFC 9110, sections 5.6.2 and 5.5.
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# They frame the message or belong to the connection, which is the client's own.
_RESERVED: Final = frozenset(
    ["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]
)
# What may stand in a target as it is: RFC 3986's reserved and unreserved characters without `#`, and `%`.
_KEPT: Final = "/?:@!$&'()*+,;=-._~%[]"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a dependency answers.

    Args:
        https: Whether over TLS.
        host: A name or an address.
        port: Its port.
        prefix: What every path begins with.
        authorization: The value of `Authorization` for the user and password in the URL; None where it has none.
    """

    https: bool
    host: str
    port: int
    prefix: str
    authorization: str | None = field(repr=False)

    @classmethod
    def of(cls, url: str) -> "Address":
        """The address in an `http://` or `https://` URL, checked when the settings were read."""
        parts = urlsplit(url)
        authorization = None
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = f"Basic {b64encode(user.encode()).decode()}"
        https = parts.scheme == "https"
        return cls(
            https, parts.hostname or "", parts.port or (443 if https else 80), parts.path.rstrip("/"), authorization
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, the same with each attempt.

    Args:
        method: The HTTP method.
        target: Path and query.
        headers: The header fields by their names in lower case.
        body: The body, None for none.
        idempotent: Whether it may be sent twice.
    """

    method: str
    # Any of these may hold a secret.
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    idempotent: bool

    @classmethod
    def checked(
        cls,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        idempotent: bool | None = None,
    ) -> "Request":
        """A request out of what a caller passed; see `DependencyClient.request`.

        Raises:
            ValueError: Something cannot be sent; the text names it and does not show it.
        """
        method = method.upper()
        if method not in METHODS:
            raise ValueError(f"the method is not one of {', '.join(METHODS)}")
        fields = _checked_headers(headers or {})
        if json is not None:
            if body is not None:
                raise ValueError("json and body cannot both be sent")
            body = orjson.dumps(json)
            fields.setdefault("content-type", "application/json")
        if idempotent:
            # https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
            fields.setdefault("idempotency-key", str(uuid.uuid4()))
        return cls(
            method,
            _target(path, params or {}),
            fields,
            body.encode() if isinstance(body, str) else body,
            method in IDEMPOTENT if idempotent is None else idempotent,
        )


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError("a header's name is not a token")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise ValueError(f"the value of the header {name} cannot be sent")
        if name.lower() in _RESERVED:
            raise ValueError(f"the header {name} is the client's own")
        fields[name.lower()] = value
    return fields


def _target(path: str, params: Mapping[str, Any]) -> str:
    if not path.startswith("/"):
        raise ValueError("the path does not begin with /")
    path, question, query = path.partition("?")
    # Some servers take a backslash for a slash, and all decode the dots.
    segments = re.split(r"[/\\]", unquote(path))
    if ".." in segments or "." in segments:
        raise ValueError("the path has a segment of dots, which leads elsewhere")
    more = urlencode({name: value for name, value in params.items() if value is not None}, doseq=True)
    if more:
        query = f"{query}&{more}" if query else more
        question = "?"
    return quote(path, safe=_KEPT.replace("?", "")) + question + quote(query, safe=_KEPT)

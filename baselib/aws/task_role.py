"""The endpoint from which a task gets the temporary keys of its role.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from baselib.container.ecs import CREDENTIALS_VARIABLE

_FULL_VARIABLE: Final = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN_VARIABLE: Final = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 - a variable's name
_TOKEN_FILE_VARIABLE: Final = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - a variable's name

_ECS: Final = "http://169.254.170.2"
# ECS, EKS Pod Identity in both address families, and this machine itself.
_HOSTS: Final = frozenset({"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1", "::1"})

_CONNECT_SECONDS: Final = 1.0
# The agent is on the same machine; an answer that hangs is asked for again.
_READ_SECONDS: Final = 1.0
_MAXIMUM_BYTES: Final = 65_536


class CredentialPolicyError(RuntimeError):
    """Credentials would come from somewhere else than the task's role."""


class KeysUnavailableError(RuntimeError):
    """The endpoint gave no keys that can be used."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Temporary keys of a role.

    Attributes:
        access_key: The access key id.
        secret_key: The secret access key.
        token: The session token.
        expires: When they stop being valid, in seconds since 1970.
    """

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    expires: float


def endpoint(environ: Mapping[str, str]) -> str | None:
    """Where the keys are asked for; None where the variables name no endpoint.

    Args:
        environ: The environment variables.

    Raises:
        CredentialPolicyError: The variables name another host than this task's own.
    """
    if relative := environ.get(CREDENTIALS_VARIABLE):
        if not relative.startswith("/"):
            raise CredentialPolicyError(f"{CREDENTIALS_VARIABLE} is no path: it has to begin with /")
        return _ECS + relative
    full = environ.get(_FULL_VARIABLE)
    if not full:
        return None
    host = None
    with contextlib.suppress(ValueError):
        parts = urlsplit(full)
        host = parts.hostname if parts.scheme in {"http", "https"} else None
    if host not in _HOSTS:
        raise CredentialPolicyError(
            f"{_FULL_VARIABLE} names {host!r}: keys are taken from the task's own endpoint only"
        )
    return full


def fetch_keys(url: str, environ: Mapping[str, str]) -> Keys:
    """Ask the endpoint once.

    Args:
        url: The endpoint.
        environ: The environment variables, which may hold a token for it or name its file.

    Raises:
        KeysUnavailableError: It cannot be reached in time, or what it says are not valid keys. The message holds
            nothing of its answer, in which there may be a key.
    """
    import urllib3  # noqa: PLC0415 - a service that calls no AWS does not pay for it

    try:
        answer = urllib3.request(
            "GET",
            url,
            headers={"Accept": "application/json", **_authorization(environ)},
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            body = answer.read(_MAXIMUM_BYTES)
        finally:
            answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise KeysUnavailableError(f"{url} cannot be asked: {type(error).__name__}") from error
    if answer.status != 200:
        raise KeysUnavailableError(f"{url} answered with status {answer.status}")
    return _parsed(url, body)


def _parsed(url: str, body: bytes) -> Keys:
    try:
        said = json.loads(body)
        access_key, secret_key, token = (said[name] for name in ("AccessKeyId", "SecretAccessKey", "Token"))
        expires = datetime.fromisoformat(said["Expiration"])
    except (ValueError, KeyError, TypeError):
        # Not chained: these errors quote the answer.
        raise KeysUnavailableError(f"{url} answered with something else than keys") from None
    if not all(isinstance(text, str) and text for text in (access_key, secret_key, token)):
        raise KeysUnavailableError(f"{url} answered with an empty key")
    if expires.tzinfo is None:
        expires = expires.replace(tzinfo=UTC)
    return Keys(access_key, secret_key, token, expires.timestamp())


def _authorization(environ: Mapping[str, str]) -> dict[str, str]:
    file = environ.get(_TOKEN_FILE_VARIABLE)
    # Read each time, because it is rotated.
    token = Path(file).read_text(encoding="utf-8") if file else environ.get(_TOKEN_VARIABLE)
    if token is None:
        return {}
    if "\r" in token or "\n" in token:
        raise KeysUnavailableError("the token for the credentials endpoint holds a line break")
    return {"Authorization": token}

"""Secrets and parameters, each the same object for the same name."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from baselib.aws.cached_value import CachedValue, ValueUnavailableError
from baselib.aws.clients import client

_FRESH_SECONDS: Final = 300.0
# Names come from the code; this bounds them where they come from somewhere else.
_MAXIMUM_VALUES: Final = 1_000

_values: "Final[OrderedDict[tuple[str, str, float, str | None], CachedValue]]" = OrderedDict()


def secret(name: str, *, fresh_for: float = _FRESH_SECONDS, region: str | None = None) -> CachedValue:
    """A secret of Secrets Manager, in its version AWSCURRENT; the same object for the same name.

    Args:
        name: The secret's name or ARN.
        fresh_for: Seconds after which it is read again, in the background.
        region: Another region than the service's own.

    Raises:
        ValueError: The name is empty.
    """

    def read() -> str:
        answer = client("secretsmanager", region=region).get_secret_value(SecretId=name, VersionStage="AWSCURRENT")
        text = answer.get("SecretString")
        if text is None:
            raise ValueUnavailableError(f"secret {name!r} is binary; only text is supported")
        return str(text)

    return _value("secret", name, "secretsmanager:GetSecretValue, and kms:Decrypt for its key", read, fresh_for, region)


def parameter(name: str, *, fresh_for: float = _FRESH_SECONDS, region: str | None = None) -> CachedValue:
    """A parameter of the Systems Manager Parameter Store, decrypted; the same object for the same name.

    Args:
        name: The parameter's name or ARN; a name with levels begins with `/`.
        fresh_for: Seconds after which it is read again, in the background.
        region: Another region than the service's own.

    Raises:
        ValueError: The name is empty, or it has levels and does not begin with `/`.
    """
    if "/" in name and not name.startswith(("/", "arn:")):
        raise ValueError(f"parameter {name!r} has levels, so its name has to begin with /")

    def read() -> str:
        answer = client("ssm", region=region).get_parameter(Name=name, WithDecryption=True)
        return str(answer["Parameter"]["Value"])

    return _value("parameter", name, "ssm:GetParameter, and kms:Decrypt for its key", read, fresh_for, region)


def _value(
    kind: str, name: str, permission: str, read: Callable[[], str], fresh_for: float, region: str | None
) -> CachedValue:
    if not name:
        raise ValueError(f"a {kind} needs a name")
    key = (kind, name, fresh_for, region)
    # Each step is atomic; at worst two threads make two objects, and one of them is kept.
    found = _values.get(key)
    if found is None:
        found = _values.setdefault(key, CachedValue(f"{kind} {name!r}", permission, read, fresh_for))
        while len(_values) > _MAXIMUM_VALUES:
            _values.popitem(last=False)
    return found


def forget_values() -> None:
    """Forget what was read; who holds a secret or parameter reads it again."""
    for value in list(_values.values()):
        value.forget()
    _values.clear()

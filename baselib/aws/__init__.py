"""AWS clients that act as the task's own role and as nobody else; and objects, secrets and parameters kept in memory.

from baselib import aws

aws.client("s3").get_object(Bucket=..., Key=...)
aws.Objects("duolingo-lessons").get("es/1.json")
aws.secret("duolingo-api/session-key").value
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baselib.aws.clients import client, configure_aws, resource, warm
    from baselib.aws.credentials import refuse_static_keys
    from baselib.aws.deadlines import DeadlineExceededError
    from baselib.aws.objects import ObjectNotFoundError, Objects
    from baselib.aws.resetting import reset
    from baselib.aws.task_role import CredentialPolicyError
    from baselib.aws.values import CachedValue, ValueUnavailableError, parameter, secret

__all__ = [
    "CachedValue",
    "CredentialPolicyError",
    "DeadlineExceededError",
    "ObjectNotFoundError",
    "Objects",
    "ValueUnavailableError",
    "client",
    "configure_aws",
    "parameter",
    "refuse_static_keys",
    "reset",
    "resource",
    "secret",
    "warm",
]

_HOMES = {
    "CachedValue": "values",
    "CredentialPolicyError": "task_role",
    "DeadlineExceededError": "deadlines",
    "ObjectNotFoundError": "objects",
    "Objects": "objects",
    "ValueUnavailableError": "values",
    "client": "clients",
    "configure_aws": "clients",
    "parameter": "values",
    "refuse_static_keys": "credentials",
    "reset": "resetting",
    "resource": "clients",
    "secret": "values",
    "warm": "clients",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415 - only paid for when a name is asked for

    if name not in _HOMES:
        raise AttributeError(f"module 'baselib.aws' has no attribute {name!r}")
    # Kept, because a client is asked for at every call.
    found = globals()[name] = getattr(import_module(f"baselib.aws.{_HOMES[name]}"), name)
    return found

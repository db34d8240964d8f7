"""AWS clients that act as the task's own role and as nobody else; and objects, secrets and parameters kept in memory.

from baselib import aws

aws.client("s3").get_object(Bucket=..., Key=...)
aws.Objects("duolingo-lessons").get("es/1.json")
aws.secret("duolingo-api/session-key").value
"""

from typing import TYPE_CHECKING

from baselib.lazy import lazy_names

if TYPE_CHECKING:
    from baselib.aws.cached_value import CachedValue, ValueUnavailableError
    from baselib.aws.clients import client, configure_aws, resource, warm
    from baselib.aws.credentials import refuse_static_keys
    from baselib.aws.deadlines import DeadlineExceededError
    from baselib.aws.objects import ObjectNotFoundError, Objects
    from baselib.aws.resetting import reset
    from baselib.aws.task_role import CredentialPolicyError
    from baselib.aws.values import parameter, secret

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
    "CachedValue": "baselib.aws.cached_value",
    "CredentialPolicyError": "baselib.aws.task_role",
    "DeadlineExceededError": "baselib.aws.deadlines",
    "ObjectNotFoundError": "baselib.aws.objects",
    "Objects": "baselib.aws.objects",
    "ValueUnavailableError": "baselib.aws.cached_value",
    "client": "baselib.aws.clients",
    "configure_aws": "baselib.aws.clients",
    "parameter": "baselib.aws.values",
    "refuse_static_keys": "baselib.aws.credentials",
    "reset": "baselib.aws.resetting",
    "resource": "baselib.aws.clients",
    "secret": "baselib.aws.values",
    "warm": "baselib.aws.clients",
}
__getattr__ = lazy_names(__name__, _HOMES)

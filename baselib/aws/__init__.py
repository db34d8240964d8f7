"""AWS clients that act as the task's own role and as nobody else; and objects, secrets and parameters kept in memory.

from baselib import aws

aws.client("s3").get_object(Bucket=..., Key=...)
aws.Objects("duolingo-lessons").get("es/1.json")
aws.secret("duolingo-api/session-key").value
"""

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

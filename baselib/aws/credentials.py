"""Where credentials may come from.

On ECS only the task role counts: a service that silently worked with the instance's role would share permissions with
every other task on the machine (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html).
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from baselib.container import on_ecs

if TYPE_CHECKING:
    from botocore.session import Session

_STATIC_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_CONTAINER_VARIABLES: Final = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_CONTAINER_PROVIDER: Final = "container-role"
_INSTANCE_PROVIDER: Final = "iam-role"


class CredentialPolicyError(RuntimeError):
    """Credentials would come from somewhere else than the task's role."""


def restrict_credentials(session: "Session", environ: Mapping[str, str] = os.environ) -> None:
    """Let a session take credentials from the task role only, on ECS, and never from an instance's role.

    Args:
        session: A botocore session that has made no client yet.
        environ: The environment variables.

    Raises:
        CredentialPolicyError: On ECS, static keys are set or the task has no role.
    """
    resolver = session.get_component("credential_provider")
    if not on_ecs(environ):
        resolver.remove(_INSTANCE_PROVIDER)
        return
    static = [name for name in _STATIC_KEYS if environ.get(name)]
    if static:
        raise CredentialPolicyError(
            f"{', '.join(static)} set in an ECS task: static keys are not accepted, give the task role the permission"
        )
    if not any(environ.get(name) for name in _CONTAINER_VARIABLES):
        raise CredentialPolicyError(
            "this ECS task has no task role: set task_role_arn in the task definition; the instance's role is not used"
        )
    for provider in list(resolver.providers):
        if provider.METHOD != _CONTAINER_PROVIDER:
            resolver.remove(provider.METHOD)

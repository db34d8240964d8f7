"""Where credentials may come from.

On ECS only the task role counts: a service that silently worked with the instance's role would share permissions with
every other task on the machine (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html).
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from baselib.aws.task_role import CredentialPolicyError, endpoint
from baselib.container import on_ecs

if TYPE_CHECKING:
    from botocore.session import Session

# AWS_SECURITY_TOKEN is what botocore once called AWS_SESSION_TOKEN, and reads still.
_STATIC_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
# For instance AWS_BEARER_TOKEN_BEDROCK, with which botocore signs nothing and asks no role.
_STATIC_PREFIX: Final = "AWS_BEARER_TOKEN_"
_INSTANCE_PROVIDER: Final = "iam-role"


def restrict_credentials(session: "Session", environ: Mapping[str, str] = os.environ) -> None:
    """Let a session take credentials from the task role only, on ECS, and never from an instance's role.

    Off ECS the SDK's other sources stay: keys in the environment, profiles, single sign-on.

    Args:
        session: A botocore session that has made no client yet.
        environ: The environment variables.

    Raises:
        CredentialPolicyError: On ECS, static keys are set, the task has no role, or its endpoint is another machine's.
    """
    from baselib.aws.refreshing import TaskRoleProvider  # noqa: PLC0415 - it imports botocore

    task_role = TaskRoleProvider(environ)
    if on_ecs(environ):
        refuse_static_keys(environ)
        _require_a_task_role(environ)
        from botocore.credentials import CredentialResolver  # noqa: PLC0415

        session.register_component("credential_provider", CredentialResolver([task_role]))
        return
    resolver = session.get_component("credential_provider")
    resolver.remove(_INSTANCE_PROVIDER)
    # Of two providers of one name the first is removed: botocore's own.
    resolver.insert_after(TaskRoleProvider.METHOD, task_role)
    resolver.remove(TaskRoleProvider.METHOD)


def refuse_static_keys(environ: Mapping[str, str] = os.environ) -> None:
    """Look for static keys in an ECS task; every client does this by itself, and a service may do it at its start.

    Args:
        environ: The environment variables.

    Raises:
        CredentialPolicyError: There are some; the message names the variables, not what they hold.
    """
    if not on_ecs(environ):
        return
    static = [name for name in environ if environ[name] and (name in _STATIC_KEYS or name.startswith(_STATIC_PREFIX))]
    if static:
        raise CredentialPolicyError(
            f"{', '.join(sorted(static))} set in an ECS task: static keys are not accepted, give the task role the "
            "permission"
        )


def _require_a_task_role(environ: Mapping[str, str]) -> None:
    if endpoint(environ) is None:
        raise CredentialPolicyError(
            "this ECS task has no task role: set task_role_arn in the task definition; the instance's role is not used"
        )

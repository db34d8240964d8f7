"""Whether this process runs as an ECS task."""

from collections.abc import Mapping

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html
METADATA_VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
_CREDENTIALS_VARIABLE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"


def on_ecs(environ: Mapping[str, str]) -> bool:
    """Whether the ECS agent has set the variables that it sets in every task.

    Args:
        environ: The environment variables, usually `os.environ`.
    """
    return bool(environ.get(METADATA_VARIABLE) or environ.get(_CREDENTIALS_VARIABLE))
